"""Collection: scripted demonstrations, mistakes and play in physics, written as a LeRobot data set, resumable."""

from reverie.collection.behaviours import BEHAVIOURS, MIXES
from reverie.collection.collect import CollectConfig, collect

__all__ = ["BEHAVIOURS", "MIXES", "CollectConfig", "collect"]
