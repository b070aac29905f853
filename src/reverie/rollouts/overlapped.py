"""Overlapped: inference that takes time, while the arm goes on with the chunk before (asynchronous inference).

A call sees the world at step s and its chunk arrives `latency_steps` later. Until then the old chunk's actions for those very
steps are executed; of the new chunk the first `latency_steps` actions are past by then and dropped, so every action
is executed at the step it was meant for. Unlike `Delayed`, nothing is shifted; what is old is the observation.
At the start there is nothing to go on with: the arm holds still until the first chunk arrives and plays that from its
beginning. Knows nothing of how chunks are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import ActionChunk, Memory, Observations, ReverieError, content_hash
from reverie.rollouts.inner_memory import pack, unpack
from reverie.rollouts.no_op import no_op
from reverie.rollouts.wrapper import Wrapper


@dataclass
class Overlapped(Wrapper):
    """`inner`, asked every `n_action_steps`, answers `latency_steps` control steps later; chunks must reach as far as both
    together. The memory keeps what is executed during the next call."""

    latency_steps: int
    n_action_steps: int

    def __post_init__(self) -> None:
        if not 0 <= self.latency_steps <= self.n_action_steps:
            raise ReverieError(
                f"latency_steps is {self.latency_steps}, expected 0..{self.n_action_steps} (n_action_steps): a call must be "
                "answered before the next one"
            )
        self.name = f"{self.inner.name}+overlap{self.latency_steps}of{self.n_action_steps}"

    @property
    def fingerprint(self) -> str:
        return content_hash(["overlapped", self.inner.fingerprint, self.latency_steps, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        chunk, inner = self.inner.infer(observations, unpack(memory), seeds)
        late, every, length = self.latency_steps, self.n_action_steps, chunk.values.shape[1]
        if length < every + late:
            raise ReverieError(
                f"{self.inner.name} gives chunks of {length} actions: with {every} steps between calls and a latency of {late} "
                f"they must have {every + late}"
            )
        if memory is None:
            meanwhile, arrived = np.repeat(no_op(chunk.spec, chunk.values[:, :1]), late, axis=1), chunk.values
        else:
            meanwhile, arrived = memory["overlap.meanwhile"], chunk.values[:, late:]
        plan = np.concatenate([meanwhile, arrived], axis=1)  # [B, D + T or T, A]
        return ActionChunk(plan, chunk.spec), pack({"overlap.meanwhile": plan[:, every : every + late]}, inner)
