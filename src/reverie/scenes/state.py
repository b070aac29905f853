"""What a task's predicates may look at: values read off physics, one row, no simulator in sight."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TableState:
    """positions [3] (an object's centre, the middle of a container's underside), rotations [3, 3] and speeds (m/s) by name.

    angles: of the lids of hinged things, in rad, 0 shut; their speeds are those of the lid's edge where that is faster.
    held names the object between the fingers (both pads touch it), if any. touched names things that the robot touches.
    """

    positions: Mapping[str, Array]
    rotations: Mapping[str, Array]
    speeds: Mapping[str, float]
    held: str | None
    touched: frozenset[str]
    tcp: Array
    opening: float
    angles: Mapping[str, float] = field(default_factory=dict)
