"""One command of a hand on its way to a pose: scripts, play and the planner all steer like this."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rotvec, matrix_to_rpy, quat_to_matrix, rotvec_to_matrix
from reverie.embodiments import panda

Array = NDArray[np.float64]
SPEED_M, TURN_RAD = 0.034, 0.25  # a control step; below the limits of the action, so that noise can be added


class Step(NamedTuple):
    """action [7], and how far from the pose the hand was before it (m, rad)."""

    action: Array
    distance_m: float
    angle_rad: float


def towards(goal: Array, yaw: float, opening: float, state: Array, speed: float = 1.0) -> Step:
    """From commanded state [15] towards TCP position [3], the hand pointing down and turned by `yaw`."""
    wanted = rotvec_to_matrix(np.array([0, 0, yaw])) @ panda.HOME_ROTATION
    turn = matrix_to_rotvec(wanted @ quat_to_matrix(state[3:7]).T)
    offset = goal - state[:3]
    distance, angle = float(np.linalg.norm(offset)), float(np.linalg.norm(turn))
    move = offset * min(1.0, SPEED_M * speed / max(distance, 1e-9))
    turn = matrix_to_rpy(rotvec_to_matrix(turn * min(1.0, TURN_RAD * speed / max(angle, 1e-9))))
    return Step(np.concatenate([move, turn, [opening]]), distance, angle)
