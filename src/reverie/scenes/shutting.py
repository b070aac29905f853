"""The geometry of pushing a lid shut: where a closed hand goes, in the phases of `grasping`. Knows kinds and poses only."""

import numpy as np
from numpy.typing import NDArray

from reverie.scenes.assets import HingedKind
from reverie.scenes.grasping import APPROACH, CLOSE, DESCEND, OPEN, RETREAT, SAFE_Z_M

Array = NDArray[np.float64]
BEHIND_RAD = 2.0
_SWEEP_RAD = (1.4, 0.95, 0.5, 0.15, 0.0)
"""How far the lid is still open at the end of each phase from CLOSE to OPEN."""
_FROM_EDGE_M = 0.014  # where along the lid it is pushed
_BEHIND_M, _TOUCHING_M = 0.024, 0.014  # the middle of the finger tips over the lid's middle plane
_OFF_WAY_M, _OFF_WAY_RAD, _REACHED_RAD = 0.02, 0.2, 0.02
_PRESS_STEPS = 3
_ARRIVED_M = {APPROACH: 0.02, DESCEND: 0.008, RETREAT: 0.03}
_ARRIVED_RAD = 0.08


def over_lid(kind: HingedKind, lid_rad: float, off_m: float) -> Array:
    """The point [3] near the lid's edge, `off_m` outside of the lid, in the frame of the thing."""
    along, (x, z) = kind.lid_m - _FROM_EDGE_M, kind.hinge
    cos, sin = np.cos(lid_rad), np.sin(lid_rad)
    return np.array([x - along * cos + off_m * sin, 0.0, z + along * sin + off_m * cos])


def waypoints(kind: HingedKind, base: Array, yaw: float, until_rad: float) -> tuple[Array, ...]:
    """TCP position [3] in every phase, APPROACH to RETREAT, for the base's pose; the lid is pushed down to `until_rad`."""
    behind = over_lid(kind, BEHIND_RAD, _BEHIND_M)
    sweep = [over_lid(kind, max(rad, until_rad), _TOUCHING_M) for rad in _SWEEP_RAD]
    points = [_above(behind), behind, *sweep, _above(sweep[-1])]
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    return tuple(base + turn @ p for p in points)


def _above(point: Array) -> Array:
    return np.array([*point[:2], SAFE_Z_M])


def phase_ended(phase: int, timer: int, distance_m: float, angle_rad: float) -> bool:
    """As `grasping.phase_ended`; at the end the lid is pressed down for a moment."""
    if phase == OPEN:
        return timer >= _PRESS_STEPS
    turned = angle_rad < _ARRIVED_RAD or phase not in (APPROACH, DESCEND)
    return turned and distance_m < _ARRIVED_M.get(phase, 0.012)


def phase_at(kind: HingedKind, base: Array, yaw: float, hand: Array) -> int:
    """In which phase a hand at [3] is that somebody else moved: on the way of the lid's edge, or at the beginning."""
    x, y, z = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]]) @ (hand - base)
    behind = over_lid(kind, BEHIND_RAD, _BEHIND_M)
    if np.hypot(x - behind[0], y) < _ARRIVED_M[APPROACH] and z > behind[2] + _ARRIVED_M[DESCEND]:
        return DESCEND
    out, up, at = kind.hinge[0] - x, z - kind.hinge[1], kind.lid_m - _FROM_EDGE_M
    lid_rad = float(np.arctan2(up, out) - np.arctan2(_TOUCHING_M, at))  # of the lid that this hand touches
    if abs(y) > _OFF_WAY_M or abs(np.hypot(out, up) - at) > _OFF_WAY_M or lid_rad > BEHIND_RAD + _OFF_WAY_RAD:
        return APPROACH
    return next((CLOSE + i for i, rad in enumerate(_SWEEP_RAD) if rad < lid_rad - _REACHED_RAD), OPEN)
