"""PhysicsWorld: B scenes side by side in one process, the ground truth of the tabletop benchmark."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.observations import Observations
from reverie.core.scene import Scene
from reverie.core.seeding import content_hash
from reverie.core.source import source_hash
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.core.world import Event, Transition
from reverie.embodiments import panda
from reverie.sim.row import Row
from reverie.sim.table_model import SOURCES

TRUTH = (
    "object_poses",
    "start_poses",
    "kinds",
    "goal",
    "goals",
    "camera_matrices",
    "angles",
    "held",
    "progress",
    "success",
)
"""Extras that every frame carries beside what policies may ask for: the truth, for experts, judges and training.

object_poses, start_poses [things, 7]: xyz and quaternion wxyz in the order of `scene.objects`, now and at reset; kinds
[things]: places in `assets.KINDS`; goals [2, 3]: of each thing asked, in order, index of target and of reference and place
of the relation in `goals.RELATIONS`, -1 for none; goal [2]: target and reference of the one whose turn it is; angles [things]: of
their lids, in rad, 0 shut, -1 without one; held: index of the thing in the gripper or -1.
"""


class PhysicsWorld:
    """Rows are independent: a row's result does not depend on its neighbours. `depth` adds `depth.<camera>` in mm."""

    def __init__(self, name: str = "physics", depth: bool = False) -> None:
        self.name = name
        self._depth = depth
        self._rows: list[Row] = []

    @property
    def observation_spec(self) -> ObservationSpec:
        """The arm's cameras and state, a frame every second control step, and the truth as extras."""
        depth = tuple(f"depth.{c}" for c in panda.OBSERVATION_SPEC.camera_names) if self._depth else ()
        return replace(panda.OBSERVATION_SPEC, extras=(*TRUTH, *depth))

    @property
    def action_spec(self) -> ActionSpec:
        return panda.ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        """Of the code that decides what happens, and of MuJoCo."""
        return content_hash({"source": source_hash(*SOURCES), "mujoco": mujoco.__version__, "depth": self._depth})

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        """One row per scene, all of as many things; a seed moves them by millimetres. Returns [B, ...]: images uint8
        [B, 64, 64, 3], commanded and measured float32 [B, 15], and the extras of `TRUTH`.

        Errors: ReverieError for no scene, counts that differ, unknown names, a scene that is solved at once.
        """
        if len(scenes) != len(seeds) or not scenes:
            raise ReverieError(f"reset needs one seed per scene, found {len(scenes)} scenes and {len(seeds)} seeds")
        self._rows = [Row(scene, seed) for scene, seed in zip(scenes, seeds, strict=True)]
        return self._observe([row.frame(self._depth) for row in self._rows])

    def step(self, actions: NDArray[np.float32]) -> Transition:
        """T control steps of every row: actions float32 [B, T, 7] by `panda.ACTION_SPEC`, clipped to its bounds.

        Returns observations [B, T', ...] of every second step and the events of `sim.row.Row`; `valid` is all True.
        Errors: ReverieError for another shape, values that are not finite, and physics that diverged.
        """
        self._check(actions)
        n_before = self._rows[0].n_steps
        every = panda.OBSERVATION_SPEC.frame_every
        steps = np.arange(n_before + 1, n_before + actions.shape[1] + 1)
        shown = steps[steps % every == 0]
        frames, events = zip(*(self._advance(row, chunk) for row, chunk in zip(self._rows, actions, strict=True)), strict=True)  # fmt: skip
        observations = self._observe_all(frames) if len(shown) else self._empty()
        return Transition(observations, shown, np.ones((len(actions), len(shown)), np.bool_), tuple(events))

    def _advance(self, row: Row, chunk: NDArray[np.float32]) -> tuple[list[Any], tuple[Event, ...]]:
        frames, events = [], []
        for action in chunk:
            events += row.step(action)
            if row.n_steps % panda.OBSERVATION_SPEC.frame_every == 0:
                frames.append(row.frame(self._depth))
        return frames, tuple(events)

    def _observe(self, frames: Sequence[Any]) -> Observations:
        flat = {k: np.stack([f[k] for f in frames]) for k in frames[0]}
        return _from_flat(flat, tuple(r.scene.instruction for r in self._rows))

    def _observe_all(self, frames: Sequence[Sequence[Any]]) -> Observations:
        flat = {k: np.stack([np.stack([f[k] for f in row]) for row in frames]) for k in frames[0][0]}
        return _from_flat(flat, tuple(r.scene.instruction for r in self._rows))

    def _empty(self) -> Observations:
        """[B, 0, ...]: no new frame in these steps."""
        return self._observe([row.frame(self._depth) for row in self._rows]).map(lambda v: v[:, None][:, :0])

    def _check(self, actions: NDArray[np.float32]) -> None:
        expected = (len(self._rows), "T >= 1", panda.ACTION_SPEC.action_dim)
        if actions.ndim != 3 or len(actions) != len(self._rows) or actions.shape[1] < 1 or actions.shape[2] != expected[2]:  # fmt: skip
            raise ReverieError(f"actions have shape {actions.shape}, expected {expected}; reset the world first")
        if not np.isfinite(actions).all():
            raise ReverieError("actions hold values that are not finite")

    def close(self) -> None:
        """Forget all rows."""
        self._rows = []


def _from_flat(flat: dict[str, NDArray[Any]], instructions: tuple[str, ...]) -> Observations:
    return Observations(
        images={k.removeprefix("images."): v for k, v in flat.items() if k.startswith("images.")},
        time_s=flat["time_s"],
        instructions=instructions,
        commanded=flat["commanded"],
        measured=flat["measured"],
        extras={k.removeprefix("extras."): v for k, v in flat.items() if k.startswith("extras.")},
    )
