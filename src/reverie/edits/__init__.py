"""Edits: one coded change of a scene along one axis of generalisation, with severity. Scenes in, scenes out: no pixels, no physics."""

from reverie.edits.apply import arms_named, edited, edited_scenes
from reverie.edits.axes import AXES, Axis, Level, axis_named

__all__ = ["AXES", "Axis", "Level", "arms_named", "axis_named", "edited", "edited_scenes"]
