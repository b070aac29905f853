"""What one row sees, ready for matching: colour labels, calibrated projections, and how far each pixel may be trusted.

The robot hides things: where the pose map of the commanded state draws it, a pixel says nothing, unless it shows a
colour (then the thing stands in front of the robot, which has none).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from reverie.embodiments import panda
from reverie.embodiments.cameras import projection
from reverie.embodiments.drawing import PoseMap
from reverie.policies.classical.colours import NEUTRAL, label

Array = NDArray[np.float64]
CAMERAS = tuple(c.name for c in panda.CAMERAS)
_OTHER_COLOUR = 0.3  # weight of a pixel of another colour: perhaps something stands in front


@dataclass(frozen=True)
class View:
    """One camera: labels [H, W] (colour index or NEUTRAL), robot [H, W], matrix [3, 4]."""

    labels: NDArray[np.int8]
    robot: NDArray[np.bool_]
    matrix: Array

    def mask(self, color: int) -> NDArray[np.float32]:
        """1 where the colour shows, [H, W]."""
        return np.asarray(self.labels == color, np.float32)

    def weights(self, color: int) -> NDArray[np.float32]:
        """How much each pixel counts when looking for `color`, [H, W]."""
        other = (self.labels != NEUTRAL) & (self.labels != color)
        hidden = self.robot & (self.labels == NEUTRAL)
        return np.asarray(np.where(hidden, 0.0, np.where(other, _OTHER_COLOUR, 1.0)), np.float32)


@cache
def _pose_map() -> PoseMap:
    return PoseMap()


def look(images: Mapping[str, NDArray[np.uint8]], commanded: Array, moving: bool) -> tuple[View, ...]:
    """Views of one row from images [H, W, 3] and the commanded state [15].

    While the hand moves, it lags behind its command: the wrist camera's pose is not known well enough and is left out.
    """
    _, depth = _pose_map().draw(commanded.astype(np.float32))
    tcp = panda.pose_of(commanded[None])
    chosen = [i for i, c in enumerate(panda.CAMERAS) if not (moving and c.mount == "tcp")]
    return tuple(
        View(
            labels=label(images[CAMERAS[i]]),
            robot=binary_dilation(np.isfinite(depth[i]), iterations=2 if moving else 1),
            matrix=projection(panda.CAMERAS[i], tcp)[0],
        )
        for i in chosen
    )
