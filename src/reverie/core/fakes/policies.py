"""Policies that behave, remember and misbehave, for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reverie.core.fakes.pixels import centres
from reverie.core.fakes.specs import ACTION_SPEC, HISTORY_SPEC, PIXEL_SPEC, PRIVILEGED_SPEC
from reverie.core.observations import Observations
from reverie.core.policy import ActionChunk, Memory
from reverie.core.seeding import content_hash, generator
from reverie.core.specs import ActionSpec, ObservationSpec


@dataclass
class ConstantPolicy:
    """The same action always."""

    action: tuple[float, ...] = (0.0, 0.0, 1.0)
    name: str = "constant"
    observation_spec: ObservationSpec = PIXEL_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 4

    @property
    def fingerprint(self) -> str:
        return content_hash(["constant", self.action, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        values = np.tile(np.array(self.action, dtype=np.float32), (len(seeds), self.n_action_steps, 1))
        return ActionChunk(values, self.action_spec), None


@dataclass
class RandomPolicy:
    """Actions drawn from the seeds alone."""

    name: str = "random"
    observation_spec: ObservationSpec = PIXEL_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 5

    @property
    def fingerprint(self) -> str:
        return content_hash(["random", self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        draws = [generator("random policy", s).uniform(-0.1, 0.1, (self.n_action_steps, 3)) for s in seeds]
        return ActionChunk(np.stack(draws).astype(np.float32), self.action_spec), None


def _steps_towards(offset: NDArray[np.floating], skill: float, seeds: Sequence[int], n: int) -> ActionChunk:
    """n equal steps along offset [B, 2], mixed with wandering: `skill` 1 goes straight, 0 wanders."""
    wander = np.stack([generator("reach", s).normal(0, 0.15, 2) for s in seeds])
    step = (skill * offset + (1 - skill) * wander) / n
    action = np.concatenate([step, np.ones((len(seeds), 1))], axis=1).astype(np.float32)  # [B, A]
    return ActionChunk(np.repeat(action[:, None], n, axis=1), ACTION_SPEC)


@dataclass
class ReachPolicy:
    """Finds the green square and the dot in the newest frame and brings them together, the more straightly the higher its `skill`."""

    skill: float = 1.0
    name: str = "reach"
    observation_spec: ObservationSpec = PIXEL_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 3

    @property
    def fingerprint(self) -> str:
        return content_hash(["reach", self.skill, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        square, dot = centres(observations.images["front"][:, -1])
        return _steps_towards(np.nan_to_num(square - dot), self.skill, seeds, self.n_action_steps), None


@dataclass
class ScriptedPolicy:
    """A privileged controller: it asks for object poses, which only a world that measures them can give."""

    skill: float = 1.0
    name: str = "scripted"
    observation_spec: ObservationSpec = PRIVILEGED_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 3

    @property
    def fingerprint(self) -> str:
        return content_hash(["scripted", self.skill, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        assert observations.commanded is not None
        offset = observations.extras["object_poses"][:, -1, 0] - observations.commanded[:, -1, :2]
        return _steps_towards(offset, self.skill, seeds, self.n_action_steps), None


@dataclass
class RememberingPolicy:
    """Acts on what it remembers: the number of calls and the mean brightness of every frame it was shown."""

    name: str = "remembering"
    observation_spec: ObservationSpec = HISTORY_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 3

    @property
    def fingerprint(self) -> str:
        return content_hash(["remembering", self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        rows = len(seeds)
        calls = np.zeros(rows) if memory is None else memory["calls"]
        light = np.zeros(rows) if memory is None else memory["light"]
        light = light + np.mean([v.reshape(rows, -1).mean(1) for v in observations.images.values()], axis=0)
        action = np.stack([0.05 * np.cos(calls), 0.05 * np.sin(light), np.ones(rows)], axis=1)  # [B, A]
        chunk = np.repeat(action[:, None], self.n_action_steps, axis=1).astype(np.float32)
        return ActionChunk(chunk, self.action_spec), {"calls": calls + 1, "light": light}


@dataclass
class CrashingPolicy:
    """Raises when it is shown an instruction or a start that it dislikes; otherwise stands still."""

    instruction: str = ""
    left_of: float | None = None
    name: str = "crashing"
    observation_spec: ObservationSpec = PIXEL_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 4
    inner: ConstantPolicy = field(default_factory=ConstantPolicy)

    @property
    def fingerprint(self) -> str:
        return content_hash(["crashing", self.instruction, self.left_of])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        assert observations.commanded is not None
        left = self.left_of is not None and bool((observations.commanded[:, -1, 0] < self.left_of).any())
        if left or (self.instruction and self.instruction in observations.instructions):
            raise RuntimeError("this policy crashes on purpose")
        return self.inner.infer(observations, memory, seeds)


@dataclass
class NaNPolicy:
    """Returns a value that is not finite: ActionChunk refuses it."""

    name: str = "nan"
    observation_spec: ObservationSpec = PIXEL_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 4

    @property
    def fingerprint(self) -> str:
        return content_hash(["nan"])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        values = np.zeros((len(seeds), self.n_action_steps, self.action_spec.action_dim), dtype=np.float32)
        values[-1, 1, 0] = np.nan
        return ActionChunk(values, self.action_spec), None
