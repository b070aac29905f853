"""What "do nothing" is in an action space: deltas and velocities are 0, absolute targets stay what they were."""

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec


def no_op(spec: ActionSpec, last: NDArray[np.float32]) -> NDArray[np.float32]:
    """[..., A] actions that hold still after `last` [..., A]."""
    absolute = np.array([mode == "absolute" for mode in spec.modes])
    return np.where(absolute, last, np.float32(0.0))
