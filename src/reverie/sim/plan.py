"""The plans behind the scripts: pick and place with the geometry of `scenes.grasping`, lids pushed shut with that of
`scenes.shutting`, and what goes wrong on purpose."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rpy, quat_to_matrix
from reverie.scenes import grasping, shutting
from reverie.scenes.assets import ALL_OBJECTS, CONTAINERS, HINGED, KINDS, HingedKind, radius_of
from reverie.scenes.goals import RELATIONS
from reverie.scenes.grasping import (
    AIMED_GAP_M,
    CARRY,
    RETREAT,
    beside_spot,
    grasp_of,
    release_height,
    waypoints,
)

__all__ = ["Plan", "plan_goal"]

Array = NDArray[np.float64]
_STACKED_LOWER_M = 0.008  # let go nearer to what it will stand on than to a table
_STOPS_AT_RAD = {"near_miss": (0.35, 0.7), "wrong_place": (0.7, 1.0), "drop": (1.0, 1.3)}
"""How far open the lid is left by those who err."""


@dataclass
class Plan:
    """One pick and place, or one lid pushed shut. `grasp` and `place` are TCP positions [3], `yaw` is the turn of the hand in
    rad. Of a lid: `grasp` is where its base stands, `until_rad` how far it is left open."""

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
    until_rad: float = 0.0

    @property
    def hinged(self) -> HingedKind | None:
        return HINGED.get(KINDS[self.kind])

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
        """Grasp the object at `pose` [7] where it is now, or shut it there."""
        if self.hinged:
            self.yaw = float(matrix_to_rpy(quat_to_matrix(pose[3:]))[2])
            self.grasp = pose[:3] + self.miss
            return
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
        if self.hinged:
            return shutting.waypoints(self.hinged, self.grasp, self.yaw, self.until_rad)[phase], self.yaw, 0.0
        goal, opening = waypoints(self.grasp, self.place)[phase]
        return goal, self.yaw, self._grip_while_carrying(state) if phase == CARRY else opening

    def phase_ended(self, phase: int, timer: int, distance_m: float, angle_rad: float) -> bool:
        ended = shutting.phase_ended if self.hinged else grasping.phase_ended
        return ended(phase, timer, distance_m, angle_rad)

    def _grip_while_carrying(self, state: Array) -> float:
        """A dropper lets go soon after it set off."""
        whole = float(np.linalg.norm(self.place[:2] - self.grasp[:2]))
        return 1.0 if self.drop and float(np.linalg.norm(self.place[:2] - state[:2])) < 0.85 * whole else 0.0


def plan_goal(
    variant: str, poses: NDArray[np.float32], kinds: NDArray[np.int8], goal: NDArray[np.int8], seed: int
) -> Plan:
    """A plan from the poses [things, 7] at reset for a goal [3] (`sim.world.TRUTH`); `variant` decides what goes wrong,
    `seed` by how much."""
    rng = np.random.default_rng(seed)
    things = poses.astype(np.float64)
    target, reference, relation = int(goal[0]), int(goal[1]), list(RELATIONS)[goal[2]]
    if variant == "wrong_object":
        target = int(rng.choice([i for i in _candidates(kinds, target) if i not in (target, reference)]))
    if relation == "shut":
        plan = _plan_shutting(variant, things, kinds, target, rng)
    else:
        plan = _plan_pick_and_place(variant, things, kinds, (target, reference), relation, rng)
    plan.aim_at(things[target])
    return plan


def _candidates(kinds: NDArray[np.int8], target: int) -> list[int]:
    """Things that could have been meant: the first three, or what has a lid."""
    return [i for i, k in enumerate(kinds) if KINDS[k] in HINGED] if KINDS[kinds[target]] in HINGED else [0, 1, 2]


def _plan_pick_and_place(
    variant: str, things: Array, kinds: NDArray[np.int8], pair: tuple[int, int], relation: str, rng: np.random.Generator
) -> Plan:
    target, reference = pair
    place = _place(things, kinds, target, reference, relation, rng)
    if variant == "wrong_place":
        place = _wrong_place(things, kinds, target, reference, rng)
    if variant == "near_miss":
        place = _near_miss(things, kinds, target, reference, relation, rng)
    kind = ALL_OBJECTS[KINDS[kinds[target]]]
    miss = _miss(kind.radius_m, rng) if variant == "missed_grasp" else np.zeros(3)
    height = _release_height(place, kinds, reference, kind.grasp[2], variant)
    height -= _STACKED_LOWER_M * (relation == "on top of")
    return Plan(
        target=target,
        kind=int(kinds[target]),
        grasp=np.zeros(3),
        yaw=0.0,
        place=np.array([*place[:2], height]),
        speed=_speed(variant, rng),
        miss=miss,
        drop=variant == "drop",
        expects_grasp=variant not in ("missed_grasp", "drop"),
        place_object=place,
    )


def _plan_shutting(variant: str, things: Array, kinds: NDArray[np.int8], target: int, rng: np.random.Generator) -> Plan:
    """Those who miss pass over the lid; those who drop, or put things in a wrong place, or nearly right, stop halfway."""
    stops = rng.uniform(*_STOPS_AT_RAD[variant]) if variant in _STOPS_AT_RAD else 0.0
    return Plan(
        target=target,
        kind=int(kinds[target]),
        grasp=np.zeros(3),
        yaw=0.0,
        place=things[target, :3].copy(),
        speed=_speed(variant, rng),
        miss=np.array([0, 0, rng.uniform(0.05, 0.08)]) if variant == "missed_grasp" else np.zeros(3),
        drop=False,
        expects_grasp=False,
        place_object=things[target, :3].copy(),
        until_rad=float(stops),
    )


def _miss(radius_m: float, rng: np.random.Generator) -> Array:
    angle = rng.uniform(0, 2 * np.pi)
    miss = np.array([np.cos(angle), np.sin(angle), 0]) * (radius_m + rng.uniform(0.02, 0.035))
    miss[2] = rng.choice([0.0, 0.05])
    return np.asarray(miss)


def _speed(variant: str, rng: np.random.Generator) -> float:
    return float(rng.uniform(0.22, 0.3)) if variant == "late" else float(rng.uniform(0.8, 1.0))


def _release_height(place: Array, kinds: NDArray[np.int8], reference: int, grip: float, variant: str) -> float:
    container = CONTAINERS.get(KINDS[kinds[reference]]) if variant != "near_miss" else None
    return release_height(float(place[2]), grip, container)


def _radius(kind: int) -> float:
    return radius_of(KINDS[kind])


def _place(
    poses: Array, kinds: NDArray[np.int8], target: int, reference: int, relation: str, rng: np.random.Generator
) -> Array:
    """Where the object's centre goes: the middle of a container (with a little scatter), beside an object, or its top."""
    name = KINDS[kinds[reference]]
    if relation == "on top of":
        return np.asarray(poses[reference, :3] + np.array([0, 0, ALL_OBJECTS[name].height_m / 2]))
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
    return _place(poses, kinds, target, wrong, "beside", rng)


def _near_miss(
    poses: Array, kinds: NDArray[np.int8], target: int, reference: int, relation: str, rng: np.random.Generator
) -> Array:
    """Just outside a container, next to what should carry it, or a hand's breadth too far from an object."""
    gap = rng.uniform(0.085, 0.12) if relation == "beside" else rng.uniform(0.01, 0.03)
    return _beside(poses, kinds, target, reference, float(gap))
