"""Chunked: execute another number of actions of each chunk. Nothing else changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import (
    ActionChunk,
    ActionSpec,
    Memory,
    Observations,
    ObservationSpec,
    Policy,
    ReverieError,
    content_hash,
)


@dataclass
class Chunked:
    """`inner`, asked anew after `n_action_steps` actions."""

    inner: Policy
    n_action_steps: int

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+chunk{self.n_action_steps}"

    @property
    def observation_spec(self) -> ObservationSpec:
        return self.inner.observation_spec

    @property
    def action_spec(self) -> ActionSpec:
        return self.inner.action_spec

    @property
    def fingerprint(self) -> str:
        return content_hash(["chunked", self.inner.fingerprint, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        chunk, memory = self.inner.infer(observations, memory, seeds)
        if chunk.values.shape[1] < self.n_action_steps:
            raise ReverieError(
                f"{self.inner.name} gives chunks of {chunk.values.shape[1]} actions: cannot execute {self.n_action_steps}"
            )
        return chunk, memory
