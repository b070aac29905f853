"""The geometry behind the scripts: where to grasp, where to put it down, which way to turn the hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rpy, quat_to_matrix
from reverie.scenes.assets import CONTAINERS, OBJECTS
from reverie.scenes.placement import X_RANGE_M, Y_RANGE_M

Array = NDArray[np.float64]
SAFE_Z_M = 0.17  # what hangs from the hand clears everything that stands on the table
_HOVER_M = 0.09
_RELEASE_M = 0.012
_TIP_M = 0.014  # the tips reach 9 mm below the TCP
_BESIDE_GAP_M = 0.032
_OBJECT_NAMES, _KINDS = tuple(OBJECTS), (*OBJECTS, *CONTAINERS)


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
        return {f"plan.{k}": np.asarray(v) for k, v in asdict(self).items()}

    @classmethod
    def from_arrays(cls, memory: Mapping[str, Any]) -> "Plan":
        fields = {k.removeprefix("plan."): np.array(v) for k, v in memory.items() if k.startswith("plan.")}
        scalars = {k: v.item() for k, v in fields.items() if v.ndim == 0}
        return cls(**{**fields, **scalars})

    def aim_at(self, pose: Array) -> None:
        """Grasp the object at `pose` [7] where it is now."""
        kind = OBJECTS[_OBJECT_NAMES[self.kind]]
        rotation = quat_to_matrix(pose[3:])
        local = np.array(kind.grasp) - [0, 0, kind.height_m / 2]
        point = pose[:3] + rotation @ local
        upright = rotation[2, 2] > 0.8
        self.grasp = np.array([*point[:2], max(point[2] if upright else pose[2], 0.013)]) + self.miss
        self.yaw = _grasp_yaw(kind.yaw_period_rad, float(matrix_to_rpy(rotation)[2]) if upright else 0.0, self.yaw)

    def correct_for_grip(self, hand: Array, held: Array) -> None:
        """Aim the held object, not the hand, at the place."""
        self.place[:2] = self.place_object[:2] + (hand - held)[:2]

    def waypoint(self, phase: int, state: Array) -> tuple[Array, float, float]:
        """Where the hand should be (xyz, yaw) and how open, in each phase of `script`."""
        grasp, place = self.grasp, self.place
        above = np.array([place[0], place[1], SAFE_Z_M])
        closed_until = 0.0
        table: tuple[tuple[Array, float], ...] = (
            (grasp + np.array([0, 0, _HOVER_M]), 1.0),
            (grasp, 1.0),
            (grasp, closed_until),
            (np.array([*grasp[:2], SAFE_Z_M]), closed_until),
            (above, self._grip_while_carrying(state)),
            (place, closed_until),
            (place, 1.0),
            (above, 1.0),
            (state[:3], 1.0),
        )
        goal, opening = table[phase]
        return np.asarray(goal, np.float64), self.yaw, opening

    def _grip_while_carrying(self, state: Array) -> float:
        """A dropper lets go soon after it set off."""
        whole = float(np.linalg.norm(self.place[:2] - self.grasp[:2]))
        return 1.0 if self.drop and float(np.linalg.norm(self.place[:2] - state[:2])) < 0.85 * whole else 0.0


def _grasp_yaw(period: float, yaw: float, current: float) -> float:
    """The turn of the hand nearest to `current` that grasps alike; the gripper itself repeats every half turn."""
    if period == 0.0:
        return current
    period = min(period, np.pi)
    centred = (yaw + period / 2) % period - period / 2
    options = centred + period * np.arange(-2, 3)
    options = options[np.abs(options) < 1.75]
    return float(options[np.argmin(np.abs(options))])


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
    kind = OBJECTS[_OBJECT_NAMES[kinds[target]]]
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
    """Just above what it will lie on, but with the finger tips above a container's rim: opening fingers would lift it."""
    name = _KINDS[kinds[reference]]
    rim = CONTAINERS[name].rim_m + _TIP_M if name in CONTAINERS and variant != "near_miss" else 0.0
    return max(float(place[2]) + grip + _RELEASE_M, rim)


def _radius(kind: int) -> float:
    name = _KINDS[kind]
    return OBJECTS[name].radius_m if name in OBJECTS else CONTAINERS[name].radius_m


def _place(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Where the object's centre goes: the middle of a container (with a little scatter), or beside an object."""
    name = _KINDS[kinds[reference]]
    if name in CONTAINERS:
        free = max(min(CONTAINERS[name].inner_m) - _radius(int(kinds[target])), 0.0)
        scatter = rng.uniform(-0.4, 0.4, 2) * free
        return np.asarray(poses[reference, :3] + np.array([*scatter, CONTAINERS[name].floor_m]))
    return _beside(poses, kinds, target, reference, _BESIDE_GAP_M)


def _beside(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, gap: float) -> Array:
    """The direction from the reference with most room; spots that the open fingers would share with it count less."""
    reach = _radius(int(kinds[target])) + _radius(int(kinds[reference])) + gap
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    spots = poses[reference, :2] + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    others = [i for i in range(len(poses)) if i not in (target, reference)]
    room = np.min(
        [np.linalg.norm(spots - poses[i, :2], axis=1) - _radius(int(kinds[i])) for i in others], axis=0
    ) - _radius(int(kinds[target]))
    low, high = np.array([X_RANGE_M[0], Y_RANGE_M[0]]) - 0.02, np.array([X_RANGE_M[1], Y_RANGE_M[1]]) + 0.02
    outside = np.maximum(low - spots, 0).sum(1) + np.maximum(spots - high, 0).sum(1)
    across = np.abs(np.cos(angles))  # fingers open along y: beside in x is better
    best = int(np.argmax(np.minimum(room, 0.06) - 3 * outside + 0.02 * across))
    return np.array([*spots[best], 0.0])


def _wrong_place(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Another container, or another object's side."""
    others = [i for i in range(len(poses)) if i not in (target, reference)]
    wrong = int(rng.choice([i for i in others if i >= 3] or others))
    return _place(poses, kinds, target, wrong, rng)


def _near_miss(poses: Array, kinds: NDArray[np.int8], target: int, reference: int, rng: np.random.Generator) -> Array:
    """Just outside a container, or a hand's breadth too far from an object."""
    gap = rng.uniform(0.01, 0.03) if int(kinds[reference]) >= len(OBJECTS) else rng.uniform(0.085, 0.12)
    return _beside(poses, kinds, target, reference, float(gap))
