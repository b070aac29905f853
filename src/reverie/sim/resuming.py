"""In which phase of picking and placing is a hand that somebody else moved? What an expert needs to go on from anywhere."""

import numpy as np
from numpy.typing import NDArray

from reverie.embodiments import panda
from reverie.embodiments.steering import towards
from reverie.scenes.grasping import APPROACH, CARRY, CLOSE, DESCEND, LIFT, LOWER, OPEN, RETREAT, SAFE_Z_M
from reverie.scenes.shutting import phase_at
from reverie.sim.plan import Plan

Array = NDArray[np.float64]
_OVER_M, _AT_M, _TURNED_RAD = 0.012, 0.006, 0.12
"""How far beside its waypoint a hand still counts as above it; how far from it as there."""
_HIGH_M = SAFE_Z_M - 0.025
_DONE_M = 0.03
"""A released target so near its place is left alone."""
_SHUT, _WIDE, _CLOSING = 0.1, 0.6, 0.95
"""Openings of fingers that have closed, that hold nothing any more, and that have begun to close."""


def phase_of(plan: Plan, state: Array, target: Array, held: bool) -> tuple[int, int]:
    """The phase and the control steps spent in it, for the commanded state [15], the target's pose [7] and whether it is
    held."""
    hand, opening = state[:3], float(state[7])
    if plan.hinged:
        return phase_at(plan.hinged, plan.grasp, plan.yaw, hand), 0
    if held:
        return _carrying(plan, hand, opening)
    if opening > _WIDE and np.linalg.norm(target[:2] - plan.place_object[:2]) < _DONE_M and _near(hand, plan.place):
        return RETREAT, 0
    angle = float(towards(plan.grasp, plan.yaw, 1.0, state).angle_rad)
    if np.linalg.norm(hand[:2] - plan.grasp[:2]) > _OVER_M or angle > _TURNED_RAD:
        return APPROACH, 0
    if opening > _CLOSING and np.linalg.norm(hand - plan.grasp) > _AT_M:
        return DESCEND, 0
    return CLOSE, round((1 - opening) / panda.MAX_OPENING_STEP)


def _carrying(plan: Plan, hand: Array, opening: float) -> tuple[int, int]:
    if _near(hand, plan.place):
        return (LOWER, 0) if hand[2] - plan.place[2] > _AT_M else (OPEN, round(opening / panda.MAX_OPENING_STEP))
    if opening > _SHUT:
        return CLOSE, round((1 - opening) / panda.MAX_OPENING_STEP)
    return (CARRY, 0) if hand[2] > _HIGH_M else (LIFT, 0)


def _near(hand: Array, place: Array) -> bool:
    return bool(np.linalg.norm(hand[:2] - place[:2]) < _OVER_M)
