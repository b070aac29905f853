"""How the hand moves: the phases of a pick and place, when each ends, and single steps towards a waypoint."""

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rotvec, matrix_to_rpy, quat_to_matrix, rotvec_to_matrix
from reverie.embodiments import panda
from reverie.policies.classical.planning import Plan
from reverie.scenes.grasping import waypoints

Array = NDArray[np.float64]
APPROACH, DESCEND, CLOSE, LIFT, CARRY, LOWER, OPEN, RETREAT, FINISHED, LOOK = range(10)
_LOOKOUT = np.array([0.31, 0.0, 0.4])  # out of the way of the fixed cameras
_SPEED_M, _TURN_RAD = 0.034, 0.25
_TIMED = {CLOSE: 5, OPEN: 4}  # control steps
_ARRIVED_M = {APPROACH: 0.012, DESCEND: 0.004, LIFT: 0.015, CARRY: 0.01, LOWER: 0.006, RETREAT: 0.02}
_ARRIVED_RAD = {APPROACH: 0.08, DESCEND: 0.08}
_PATIENCE = 30  # control steps after which a phase ends although the arm cannot reach its waypoint


def step(phase: int, timer: int, plan: Plan, state: Array) -> tuple[Array, int, int]:
    """One action [7] from the commanded state [15], then the phase and its timer after it."""
    goal, opening = (state[:3], float(state[7])) if phase == FINISHED else waypoints(plan.grasp, plan.place)[phase]
    action, distance, angle = towards(goal, plan.yaw, opening, state)
    timer += 1
    if phase in _TIMED:
        ended = timer >= _TIMED[phase]
    else:
        ended = phase != FINISHED and distance < _ARRIVED_M[phase] and angle < _ARRIVED_RAD.get(phase, np.inf)
        ended = ended or (phase != FINISHED and timer >= _PATIENCE)
    return (action, phase + 1, 0) if ended else (action, phase, timer)


def to_lookout(state: Array) -> Array:
    """One action [7] towards where the hand hides little."""
    return towards(_LOOKOUT, 0.0, 1.0, state)[0]


def stay(state: Array) -> Array:
    """The action [7] that changes nothing."""
    return np.array([0, 0, 0, 0, 0, 0, state[7]])


def towards(goal: Array, yaw: float, opening: float, state: Array) -> tuple[Array, float, float]:
    """An action [7] towards position [3] and turn of the hand, and how far away both were (m, rad)."""
    wanted = rotvec_to_matrix(np.array([0, 0, yaw])) @ panda.HOME_ROTATION
    turn = matrix_to_rotvec(wanted @ quat_to_matrix(state[3:7]).T)
    offset = goal - state[:3]
    distance, angle = float(np.linalg.norm(offset)), float(np.linalg.norm(turn))
    move = offset * min(1.0, _SPEED_M / max(distance, 1e-9))
    turn = matrix_to_rpy(rotvec_to_matrix(turn * min(1.0, _TURN_RAD / max(angle, 1e-9))))
    return np.concatenate([move, turn, [opening]]), distance, angle
