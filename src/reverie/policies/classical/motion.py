"""How the hand moves through the phases of a pick and place, and out of the way of the cameras."""

import numpy as np
from numpy.typing import NDArray

from reverie.embodiments.steering import towards
from reverie.policies.classical.planning import Plan
from reverie.scenes.grasping import RETREAT, phase_ended, waypoints

Array = NDArray[np.float64]
FINISHED, LOOK = RETREAT + 1, RETREAT + 2
_LOOKOUT = np.array([0.31, 0.0, 0.4])  # out of the way of the fixed cameras
_PATIENCE = 30  # control steps after which a phase ends although the arm cannot reach its waypoint


def step(phase: int, timer: int, plan: Plan, state: Array) -> tuple[Array, int, int]:
    """One action [7] from the commanded state [15], then the phase and its timer after it."""
    goal, opening = (state[:3], float(state[7])) if phase == FINISHED else waypoints(plan.grasp, plan.place)[phase]
    action, distance, angle = towards(goal, plan.yaw, opening, state)
    timer += 1
    ended = phase != FINISHED and (phase_ended(phase, timer, float(distance), float(angle)) or timer >= _PATIENCE)
    return (action, phase + 1, 0) if ended else (action, phase, timer)


def to_lookout(state: Array) -> Array:
    """One action [7] towards where the hand hides little."""
    return towards(_LOOKOUT, 0.0, 1.0, state)[0]


def stay(state: Array) -> Array:
    """The action [7] that changes nothing."""
    return np.array([0, 0, 0, 0, 0, 0, state[7]])
