"""Action codecs: what a network predicts, and the actions that it means."""

from reverie.actions.normalisation import Normalisation

__all__ = ["Normalisation"]
