"""From what was found to where the hand goes: one pick and place with the geometry of `scenes.grasping`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import rpy_to_matrix
from reverie.policies.classical import detection
from reverie.policies.classical.request import Request
from reverie.policies.classical.views import View
from reverie.scenes import grasping
from reverie.scenes.assets import CONTAINERS, OBJECTS, radius_of
from reverie.scenes.tasks import BESIDE_GAP_M

Array = NDArray[np.float64]
_CLEAR_M = 0.012  # colour this close to a known outline belongs to it


@dataclass(frozen=True)
class Plan:
    """Poses [4] (x y z of the underside's middle, yaw) of target and reference, TCP positions [3] to grasp and to let
    go at, where the target's middle should end [2], and the turn of the hand in rad."""

    target: Array
    reference: Array
    grasp: Array
    place: Array
    goal: Array
    yaw: float


def plan(request: Request, target: Array, reference: Array, views: Sequence[View]) -> Plan:
    """A plan for found poses [4] of target and reference; `views` show what else stands in the way."""
    kind = OBJECTS[request.target.kind]
    centre = target[:3] + np.array([0, 0, kind.height_m / 2])
    rotation = rpy_to_matrix(np.array([0, 0, target[3]]))
    grasp, yaw = grasping.grasp_of(kind, centre, rotation, 0.0)
    goal, surface_z = _goal(request, target, reference, views)
    container = CONTAINERS.get(request.reference.kind) if request.relation == "inside" else None
    place_z = grasping.release_height(surface_z, kind.grasp[2], container)
    place = np.array([*(goal + grasp[:2] - target[:2]), place_z])
    return Plan(target, reference, grasp, place, goal, yaw)


def _goal(request: Request, target: Array, reference: Array, views: Sequence[View]) -> tuple[Array, float]:
    """Where the target's middle belongs, [2], and the height of what it will lie on."""
    if request.relation == "inside":
        return reference[:2], CONTAINERS[request.reference.kind].floor_m
    radii = [radius_of(thing.kind) for thing in (request.target, request.reference)]
    others = detection.occupied(views)
    for pose, radius in zip((target, reference), radii, strict=True):
        others = others[np.linalg.norm(others - pose[:2], axis=1) > radius + _CLEAR_M]
    reach = sum(radii) + grasping.AIMED_GAP_M
    spot = grasping.beside_spot(reference[:2], reach, radii[0], others, np.zeros(len(others)))
    return spot, 0.0


def at_goal(request: Request, target: Array, reference: Array) -> bool:
    """Whether a found target [4] is where the request wants it, as far as positions tell."""
    apart = float(np.linalg.norm(target[:2] - reference[:2]))
    if request.relation == "inside":
        return apart < max(CONTAINERS[request.reference.kind].inner_m)
    return apart < radius_of(request.target.kind) + radius_of(request.reference.kind) + BESIDE_GAP_M
