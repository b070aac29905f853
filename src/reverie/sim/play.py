"""Play: a hand that pushes, grasps, lifts and lets go of things for no reason. It teaches a video world what contact does.

A random list of waypoints (xyz, yaw, opening, steps to wait) is drawn from the poses at reset and then followed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reverie.core.observations import Observations
from reverie.core.policy import ActionChunk, Memory
from reverie.core.rotations import matrix_to_rpy, quat_to_matrix
from reverie.core.source import source_hash
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.embodiments import panda
from reverie.embodiments.steering import towards
from reverie.scenes.placement import X_RANGE_M, Y_RANGE_M
from reverie.sim.table_model import SOURCES

Array = NDArray[np.float64]
_N_WAYPOINTS = 48


class Play:
    """An ordinary policy that reads `start_poses` once. Never looks again, so it misses often: that is wanted."""

    name = "script-play"

    @property
    def observation_spec(self) -> ObservationSpec:
        """Privileged: poses of things at reset; no camera."""
        return replace(panda.OBSERVATION_SPEC, cameras=(), measured=(), extras=("start_poses",))

    @property
    def action_spec(self) -> ActionSpec:
        return panda.ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        return source_hash(*SOURCES)

    @property
    def n_action_steps(self) -> int:
        return panda.OBSERVATION_SPEC.frame_every

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        """Actions [B, 2, 7]; memory holds, per row, the waypoints [48, 6], which one is next and how long it waits."""
        now = observations[:, -1]
        assert now.commanded is not None
        if memory is None:
            plans = [_waypoints(p, np.random.default_rng(s)) for p, s in zip(now.extras["start_poses"], seeds, strict=True)]  # fmt: skip
            memory = {"waypoints": np.stack(plans), "at": np.zeros(len(seeds), np.int64), "waited": np.zeros(len(seeds), np.int64)}  # fmt: skip
        state = np.asarray(now.commanded, np.float64)
        at, waited = memory["at"].copy(), memory["waited"].copy()
        actions = []
        for _ in range(self.n_action_steps):
            steps = [_towards(memory["waypoints"][i, at[i]], state[i]) for i in range(len(state))]
            action = np.stack([a for a, _ in steps])
            for i, (_, there) in enumerate(steps):
                waited[i] += there
                if waited[i] > memory["waypoints"][i, at[i], 5]:
                    at[i], waited[i] = min(at[i] + 1, _N_WAYPOINTS - 1), 0
            actions.append(action)
            state = panda.integrate(state, action.astype(np.float32))
        chunk = ActionChunk(np.stack(actions, axis=1).astype(np.float32), self.action_spec)
        return chunk, {"waypoints": memory["waypoints"], "at": at, "waited": waited}


def _towards(waypoint: Array, state: Array) -> tuple[Array, bool]:
    """One command towards (x y z yaw opening wait), and whether the hand is there already."""
    step = towards(waypoint[:3], waypoint[3], waypoint[4], state)
    return step.action, bool(step.distance_m < 0.012 and abs(waypoint[4] - state[7]) < 0.1)


def _waypoints(poses: NDArray[np.float32], rng: np.random.Generator) -> Array:
    points: list[list[float]] = []
    while len(points) < _N_WAYPOINTS:
        points += (_push, _pick, _pick, _wander)[rng.integers(4)](poses, rng)
    return np.array(points[:_N_WAYPOINTS])


def _push(poses: NDArray[np.float32], rng: np.random.Generator) -> list[list[float]]:
    """Go down beside a thing and sweep across it."""
    spot, angle, yaw = poses[rng.integers(len(poses)), :2], rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1)
    direction = np.array([np.cos(angle), np.sin(angle)])
    begin, end = spot - direction * rng.uniform(0.07, 0.09), spot + direction * rng.uniform(0.0, 0.08)
    z, opening = rng.uniform(0.015, 0.04), float(rng.random() < 0.3)
    return [
        [*begin, 0.12, yaw, opening, 0],
        [*begin, z, yaw, opening, 0],
        [*end, z, yaw, opening, 0],
        [*end, 0.13, yaw, opening, 0],
    ]


def _pick(poses: NDArray[np.float32], rng: np.random.Generator) -> list[list[float]]:
    """Grasp at an object (with some error), lift, carry, lower somewhat, let go."""
    pose = poses[rng.integers(3)]
    x, y = pose[:2] + rng.normal(0, 0.008, 2)
    z = float(np.clip(pose[2] + rng.normal(0, 0.004), 0.012, 0.1))
    yaw = float(matrix_to_rpy(quat_to_matrix(pose[3:].astype(np.float64)))[2]) + rng.normal(0, 0.1)
    yaw = (yaw + np.pi / 2) % np.pi - np.pi / 2
    to = [rng.uniform(*X_RANGE_M), rng.uniform(*Y_RANGE_M)] if rng.random() < 0.5 else list(poses[rng.integers(5), :2])
    up, down = rng.uniform(0.08, 0.2), rng.uniform(0.02, 0.12)
    return [
        [x, y, z + 0.09, yaw, 1, 0],
        [x, y, z, yaw, 1, 0],
        [x, y, z, yaw, 0, 2],
        [x, y, up, yaw, 0, 0],
        [*to, up, yaw, 0, 0],
        [*to, down, yaw, 0, 0],
        [*to, down, yaw, 1, 1],
        [*to, 0.15, yaw, 1, 0],
    ]


def _wander(poses: NDArray[np.float32], rng: np.random.Generator) -> list[list[float]]:
    return [[rng.uniform(*X_RANGE_M), rng.uniform(*Y_RANGE_M), rng.uniform(0.06, 0.3), rng.uniform(-1.1, 1.1), float(rng.random() < 0.6), 0]]  # fmt: skip
