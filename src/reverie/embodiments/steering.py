"""One command of a hand on its way to a pose: scripts, play and the planner all steer like this."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reverie.core.rotations import matrix_to_rotvec, matrix_to_rpy, quat_to_matrix, rotvec_to_matrix
from reverie.embodiments import panda

Array = NDArray[np.float64]
SPEED_M, TURN_RAD = 0.034, 0.25  # a control step; below the limits of the action, so that noise can be added


class Step(NamedTuple):
    """action [..., 7], and how far from the pose the hand was before it (m, rad) [...]."""

    action: Array
    distance_m: Array
    angle_rad: Array


def towards(goal: Array, yaw: ArrayLike, opening: ArrayLike, state: Array, speed: ArrayLike = 1.0) -> Step:
    """From commanded states [..., 15] towards TCP positions [..., 3], the hand pointing down and turned by `yaw` [...]."""
    wanted = rotvec_to_matrix(np.multiply.outer(yaw, [0.0, 0.0, 1.0])) @ panda.HOME_ROTATION
    turn = matrix_to_rotvec(wanted @ np.swapaxes(quat_to_matrix(state[..., 3:7]), -1, -2))
    offset = goal - state[..., :3]
    distance, angle = np.linalg.norm(offset, axis=-1), np.linalg.norm(turn, axis=-1)
    move = offset * _share(SPEED_M * np.asarray(speed), distance)
    turn = matrix_to_rpy(rotvec_to_matrix(turn * _share(TURN_RAD * np.asarray(speed), angle)))
    return Step(np.concatenate([move, turn, np.asarray(opening, np.float64)[..., None]], axis=-1), distance, angle)


def _share(limit: Array, way: Array) -> Array:
    """[..., 1]: of a way, how much one control step may take."""
    return np.asarray(np.minimum(1.0, limit / np.maximum(way, 1e-9)))[..., None]
