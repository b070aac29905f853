"""The geometry of picking and placing that scripts and planners share: where to grasp, where to put it down, which way
to turn the hand. Knows kinds and poses; knows nothing about tasks, robots' joints or simulators.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rpy
from reverie.scenes.assets import ContainerKind, ObjectKind
from reverie.scenes.placement import X_RANGE_M, Y_RANGE_M

Array = NDArray[np.float64]
SAFE_Z_M = 0.17  # what hangs from the hand clears everything that stands on the table
HOVER_M = 0.09
AIMED_GAP_M = 0.032  # between footprints of things put beside each other; well within what counts as beside
APPROACH, DESCEND, CLOSE, LIFT, CARRY, LOWER, OPEN, RETREAT = range(8)
_STEPS = {CLOSE: 5, OPEN: 4}  # control steps that the fingers take
_ARRIVED_M = {APPROACH: 0.012, DESCEND: 0.004, LIFT: 0.015, CARRY: 0.01, LOWER: 0.006, RETREAT: 0.02}
_ARRIVED_RAD = {APPROACH: 0.08, DESCEND: 0.08}
_RELEASE_M = 0.012
_TIP_M = 0.014  # the tips reach 9 mm below the TCP
_LOWEST_GRASP_M = 0.013


def grasp_of(kind: ObjectKind, centre: Array, rotation: Array, current_yaw: float) -> tuple[Array, float]:
    """Where the TCP grasps an object, [3], and how far the hand is turned, for its centre [3] and rotation [3, 3]."""
    local = np.array(kind.grasp) - [0, 0, kind.height_m / 2]
    point = centre + rotation @ local
    upright = rotation[2, 2] > 0.8
    grasp = np.array([*point[:2], max(point[2] if upright else centre[2], _LOWEST_GRASP_M)])
    return grasp, grasp_yaw(kind.yaw_period_rad, float(matrix_to_rpy(rotation)[2]) if upright else 0.0, current_yaw)


def grasp_yaw(period: float, yaw: float, current: float) -> float:
    """The smallest turn of the hand that grasps alike (`current` for round things); the gripper repeats every half turn."""
    if period == 0.0:
        return current
    period = min(period, np.pi)
    centred = (yaw + period / 2) % period - period / 2
    options = centred + period * np.arange(-2, 3)
    options = options[np.abs(options) < 1.75]
    return float(options[np.argmin(np.abs(options))])


def waypoints(grasp: Array, place: Array) -> tuple[tuple[Array, float], ...]:
    """TCP position [3] and opening in every phase, `APPROACH` to `RETREAT`."""
    above_place = np.array([place[0], place[1], SAFE_Z_M])
    return (
        (grasp + np.array([0, 0, HOVER_M]), 1.0),
        (grasp, 1.0),
        (grasp, 0.0),
        (np.array([*grasp[:2], SAFE_Z_M]), 0.0),
        (above_place, 0.0),
        (place, 0.0),
        (place, 1.0),
        (above_place, 1.0),
    )


def phase_ended(phase: int, timer: int, distance_m: float, angle_rad: float) -> bool:
    """After `timer` control steps in a phase, with the hand so far from its waypoint: is it time for the next?"""
    if phase in _STEPS:
        return timer >= _STEPS[phase]
    return distance_m < _ARRIVED_M[phase] and angle_rad < _ARRIVED_RAD.get(phase, np.inf)


def release_height(surface_z: float, grip_z: float, container: ContainerKind | None) -> float:
    """Just above what it will lie on, but with the finger tips above a container's rim: opening fingers would lift it."""
    rim = container.rim_m + _TIP_M if container else 0.0
    return max(surface_z + grip_z + _RELEASE_M, rim)


def beside_spot(reference: Array, reach: float, radius: float, others: Array, other_radii: Array) -> Array:
    """Where to put a thing of `radius` at distance `reach` from `reference` [2]: the direction with most room, [2].

    others [N, 2] are the middles of everything else on the table. Spots that the open fingers would share with the
    reference count less.
    """
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    spots = reference + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    apart = np.linalg.norm(spots[:, None] - others[None], axis=2) - other_radii  # [16, N]
    room = apart.min(axis=1, initial=np.inf) - radius
    low, high = np.array([X_RANGE_M[0], Y_RANGE_M[0]]) - 0.02, np.array([X_RANGE_M[1], Y_RANGE_M[1]]) + 0.02
    outside = np.maximum(low - spots, 0).sum(1) + np.maximum(spots - high, 0).sum(1)
    across = np.abs(np.cos(angles))  # fingers open along y: beside in x is better
    return np.asarray(spots[int(np.argmax(np.minimum(room, 0.06) - 3 * outside + 0.02 * across))])
