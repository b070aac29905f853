"""TakenOver: a policy acts, then the expert goes on from wherever it got to. What follows is worth imitating.

Demonstrations never show how to go on from a policy's own mistakes, so errors compound (Ross et al. 2011, "A Reduction of
Imitation Learning and Structured Prediction to No-Regret Online Learning"). Deviation from DAgger: the expert acts from
one moment on, rather than labelling every state that the policy visits, since it is a script with a memory of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reverie.core import ActionChunk, Memory, Observations, ObservationSpec, ReverieError, content_hash
from reverie.embodiments import panda
from reverie.rollouts.inner_memory import pack, unpack
from reverie.rollouts.wrapper import Wrapper
from reverie.sim.script import INTENTION, Script, ScriptConfig

_STEP = "taken_over.step"


@dataclass
class TakenOver(Wrapper):
    """`inner` for `steps` control steps, a multiple of those between two frames; then the expert, asked at every frame."""

    steps: int
    expert: Script = field(default_factory=lambda: Script(ScriptConfig(intention=INTENTION)))

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+expert{self.steps}"
        every = self.n_action_steps
        if self.steps < every or self.steps % every:
            raise ReverieError(
                f"the expert takes over after {self.steps} steps: expected a multiple of {every}, >= {every}"
            )

    @property
    def n_action_steps(self) -> int:
        return self.expert.n_action_steps

    @property
    def observation_spec(self) -> ObservationSpec:
        """The policy's cameras, and the truth that the expert goes by."""
        inner, expert = self.inner.observation_spec, self.expert.observation_spec
        return replace(inner, commanded=panda.STATE_NAMES, extras=(*expert.extras, *Script.RESUMES_BY))

    @property
    def fingerprint(self) -> str:
        return content_hash(["taken over", self.inner.fingerprint, self.expert.fingerprint, self.steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        step = 0 if memory is None else int(memory[_STEP][0])
        if step < self.steps:
            seen = observations.select(self.inner.observation_spec, self.observation_spec)
            chunk, inner = self.inner.infer(seen, unpack(memory), seeds)
        else:
            before = unpack(memory) if step > self.steps else self.expert.resume(observations, seeds)
            chunk, inner = self.expert.infer(observations, before, seeds)
        k = self.n_action_steps
        return ActionChunk(chunk.values[:, :k], chunk.spec, chunk.intended), pack(
            {_STEP: np.full(len(seeds), step + k)}, inner
        )
