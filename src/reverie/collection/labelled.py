"""Labelled: a policy acts, and the expert says at every look what it would do from there.

DAgger (Ross et al. 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", algorithm
3.1) with one round of beta = 0: the states are the policy's, the labels the expert's, so what is learned from them is how to
go on from the policy's own mistakes. What is executed is never imitated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reverie.core import ActionChunk, Memory, Observations, ObservationSpec, content_hash
from reverie.embodiments import panda
from reverie.rollouts.wrapper import Wrapper
from reverie.sim.script import INTENTION, Script, ScriptConfig


@dataclass
class Labelled(Wrapper):
    """`inner`, and `ActionChunk.intended` of the expert, which begins anew from every state."""

    expert: Script = field(default_factory=lambda: Script(ScriptConfig(intention=INTENTION)))

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+labels"

    @property
    def n_action_steps(self) -> int:
        return self.inner.n_action_steps

    @property
    def observation_spec(self) -> ObservationSpec:
        """The policy's cameras, and the truth that the expert goes by."""
        extras = (*self.expert.observation_spec.extras, *Script.RESUMES_BY)
        return replace(self.inner.observation_spec, commanded=panda.STATE_NAMES, extras=extras)

    @property
    def fingerprint(self) -> str:
        return content_hash(["labelled", self.inner.fingerprint, self.expert.fingerprint])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        chunk, memory = self.inner.infer(
            observations.select(self.inner.observation_spec, self.observation_spec), memory, seeds
        )
        same = [0] * len(seeds)  # what a plan leaves open, such as where in a box, is decided alike at every look
        said, _ = self.expert.infer(observations, self.expert.resume(observations, same), same)
        return replace(chunk, intended=said.intended), memory
