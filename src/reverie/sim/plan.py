"""The plans behind the scripts: pick and place with the geometry of `scenes.grasping`, and what goes wrong on purpose."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import quat_to_matrix
from reverie.scenes.assets import ALL_OBJECTS, CONTAINERS, KINDS, radius_of
from reverie.scenes.grasping import (
    AIMED_GAP_M,
    CARRY,
    RETREAT,
    beside_spot,
    grasp_of,
    release_height,
    waypoints,
)

__all__ = ["Plan", "plan_pick_and_place"]

Array = NDArray[np.float64]


@dataclass
class Plan:
    """One pick and place. `grasp` and `place` are TCP positions [3], `yaw` and `place_yaw` turns of the hand in rad."""

    target: int
    kind: int
    grasp: Array
    yaw: float
    place: Array
    speed: float
    miss: Array
    drop: bool
    expects_grasp: bool
    place_object: Array

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays, for a policy's memory; `from_arrays` reads them back."""
        return {f"plan.{k}": np.asarray(v) for k, v in asdict(self).items()}

    @classmethod
    def from_arrays(cls, memory: Mapping[str, Any]) -> "Plan":
        """One row of a memory that holds `to_arrays` among other things."""
        fields = {k.removeprefix("plan."): np.array(v) for k, v in memory.items() if k.startswith("plan.")}
        scalars = {k: v.item() for k, v in fields.items() if v.ndim == 0}
        return cls(**{**fields, **scalars})

    def aim_at(self, pose: Array) -> None:
        """Grasp the object at `pose` [7] where it is now."""
        kind = ALL_OBJECTS[KINDS[self.kind]]
        grasp, self.yaw = grasp_of(kind, pose[:3], quat_to_matrix(pose[3:]), self.yaw)
        self.grasp = grasp + self.miss

    def correct_for_grip(self, hand: Array, held: Array) -> None:
        """Aim the held object, not the hand, at the place."""
        self.place[:2] = self.place_object[:2] + (hand - held)[:2]

    def waypoint(self, phase: int, state: Array) -> tuple[Array, float, float]:
        """Where the hand should be (xyz, yaw) and how open, in each phase of `script`."""
        if phase > RETREAT:
            return np.asarray(state[:3], np.float64), self.yaw, 1.0
        goal, opening = waypoints(self.grasp, self.place)[phase]
        return goal, self.yaw, self._grip_while_carrying(state) if phase == CARRY else opening

    def _grip_while_carrying(self, state: Array) -> float:
        """A dropper lets go soon after it set off."""
        whole = float(np.linalg.norm(self.place[:2] - self.grasp[:2]))
        return 1.0 if self.drop and float(np.linalg.norm(self.place[:2] - state[:2])) < 0.85 * whole else 0.0


def plan_pick_and_place(
    variant: str, poses: NDArray[np.float32], kinds: NDArray[np.int8], goal: NDArray[np.int8], seed: int
) -> Plan:
    """A plan from the poses [things, 7] at reset; `variant` decides what goes wrong, `seed` by how much."""
    rng = np.random.default_rng(seed)
    things = poses.astype(np.float64)
    target, reference = int(goal[0]), int(goal[1])
    if variant == "wrong_object":
        target = int(rng.choice([i for i in range(3) if i not in (target, reference)]))
    place = _place(things, kinds, target, reference, rng)
    if variant == "wrong_place":
        place = _wrong_place(things, kinds, target, reference, rng)
    if variant == "near_miss":
        place = _near_miss(things, kinds, target, reference, rng)
    kind = ALL_OBJECTS[KINDS[kinds[target]]]
    miss = np.zeros(3)
    if variant == "missed_grasp":
        angle = rng.uniform(0, 2 * np.pi)
        miss = np.array([np.cos(angle), np.sin(angle), 0]) * (kind.radius_m + rng.uniform(0.02, 0.035))
        miss[2] = rng.choice([0.0, 0.05])
    plan = Plan(
        target=target,
        kind=int(kinds[target]),
        grasp=np.zeros(3),
        yaw=0.0,
        place=np.array([*place[:2], _release_height(place, kinds, reference, kind.grasp[2], variant)]),
        speed=float(rng.uniform(0.22, 0.3)) if variant == "late" else float(rng.uniform(0.8, 1.0)),
        miss=miss,
        drop=variant == "drop",
        expects_grasp=variant not in ("missed_grasp", "drop"),
        place_object=place,
    )
    plan.aim_at(things[target])
    return plan


def _release_height(place: Array, kinds: NDArray[np.int8], reference: int, grip: float, variant: str) -> float:
    container = CONTAINERS.get(KINDS[kinds[reference]]) if variant != "near_miss" else None
    return release_height(float(place[2]), grip, container)


def _radius(kind: int) -> float:
    return radius_of(KINDS[kind])


def _place(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Where the object's centre goes: the middle of a container (with a little scatter), or beside an object."""
    name = KINDS[kinds[reference]]
    if name in CONTAINERS:
        free = max(min(CONTAINERS[name].inner_m) - _radius(int(kinds[target])), 0.0)
        scatter = rng.uniform(-0.4, 0.4, 2) * free
        return np.asarray(poses[reference, :3] + np.array([*scatter, CONTAINERS[name].floor_m]))
    return _beside(poses, kinds, target, reference, AIMED_GAP_M)


def _beside(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, gap: float) -> Array:
    radius = _radius(int(kinds[target]))
    others = [i for i in range(len(poses)) if i not in (target, reference)]
    radii = np.array([_radius(int(kinds[i])) for i in others])
    reach = radius + _radius(int(kinds[reference])) + gap
    return np.array([*beside_spot(poses[reference, :2], reach, radius, poses[others, :2], radii), 0.0])


def _wrong_place(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Another container, or another object's side."""
    others = [i for i in range(len(poses)) if i not in (target, reference)]
    wrong = int(rng.choice([i for i in others if i >= 3] or others))
    return _place(poses, kinds, target, wrong, rng)


def _near_miss(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Just outside a container, or a hand's breadth too far from an object."""
    gap = rng.uniform(0.01, 0.03) if KINDS[kinds[reference]] in CONTAINERS else rng.uniform(0.085, 0.12)
    return _beside(poses, kinds, target, reference, float(gap))
