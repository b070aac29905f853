"""A page in which a person clicks where the robot is seen, so that cameras can be calibrated."""

from reverie.annotation.clicking.site import Clicking

__all__ = ["Clicking"]
