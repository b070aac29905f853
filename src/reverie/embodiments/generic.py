"""A robot we know nothing about but its action spec: commands are added to the state, or are the state.

For real logs without kinematics or calibration. The commanded state has the actions' own numbers.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.specs import ActionSpec

Array = NDArray[np.float64]


def integrate(spec: ActionSpec, commanded: Array, actions: NDArray[np.float32]) -> Array:
    """One control step: [B, A], [B, A] -> [B, A]. Rotations are added number by number, which holds for small angles."""
    if commanded.shape != actions.shape:
        raise ReverieError(
            f"commanded state {commanded.shape} and actions {actions.shape} differ: give one number each"
        )
    steps = {"absolute": 0.0, "delta": 1.0, "velocity": 1.0}
    keep = np.array([steps[m] for m in spec.modes])
    gain = np.array([1.0 / spec.control_hz if m == "velocity" else 1.0 for m in spec.modes])
    return np.asarray(keep * commanded + gain * actions)
