"""Rotations by the word of a spec (`ActionSpec.rotation`): numbers to matrices and back, refusing what is none."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError
from reverie.core import rotations as r
from reverie.core.specs import Rotation

Array = NDArray[np.float64]

_TO_MATRIX: dict[Rotation, Callable[[Array], Array]] = {
    "rpy": r.rpy_to_matrix,
    "rotvec": r.rotvec_to_matrix,
    "quat_wxyz": r.quat_to_matrix,
    "rot6d": r.rot6d_to_matrix,
}
_FROM_MATRIX: dict[Rotation, Callable[[Array], Array]] = {
    "rpy": r.matrix_to_rpy,
    "rotvec": r.matrix_to_rotvec,
    "quat_wxyz": r.matrix_to_quat,
    "rot6d": r.matrix_to_rot6d,
}


def to_matrix(values: Array, rotation: Rotation) -> Array:
    """[..., 3, 4 or 6] -> [..., 3, 3]. Quaternions and columns of any length are scaled to 1.

    Errors: ReverieError for a quaternion of zeros and for columns that are parallel: they are no rotation.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found = _TO_MATRIX[rotation](values)
    wrong = ~np.isfinite(found).all((-1, -2))
    if wrong.any():
        at = tuple(int(i[0]) for i in np.nonzero(wrong))
        raise ReverieError(f"{rotation} {np.round(values[at], 6).tolist()} at {list(at)} is no rotation")
    return found


def from_matrix(matrix: Array, rotation: Rotation) -> Array:
    """[..., 3, 3] -> [..., 3, 4 or 6]; quaternions with w >= 0, roll 0 where pitch is 90 degrees."""
    return _FROM_MATRIX[rotation](matrix)
