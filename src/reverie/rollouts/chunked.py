"""Chunked: execute another number of actions of each chunk. Nothing else changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import ActionChunk, Memory, Observations, ReverieError, content_hash
from reverie.rollouts.wrapper import Wrapper


@dataclass
class Chunked(Wrapper):
    """`inner`, asked anew after `n_action_steps` actions."""

    n_action_steps: int

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+chunk{self.n_action_steps}"

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
