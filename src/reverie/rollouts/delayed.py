"""Delayed: every action is executed `delay_steps` control steps after it was asked for, as over a slow link.

Before the first action arrives the robot holds still: deltas are 0, absolute targets are those of the first action.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import ActionChunk, Memory, Observations, content_hash
from reverie.rollouts.inner_memory import pack, unpack
from reverie.rollouts.no_op import no_op
from reverie.rollouts.wrapper import Wrapper


@dataclass
class Delayed(Wrapper):
    """A queue of `delay_steps` pending actions between `inner` and the world; the queue is in the memory."""

    delay_steps: int

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+delay{self.delay_steps}"

    @property
    def fingerprint(self) -> str:
        return content_hash(["delayed", self.inner.fingerprint, self.delay_steps])

    @property
    def n_action_steps(self) -> int:
        return self.inner.n_action_steps

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        chunk, inner = self.inner.infer(observations, unpack(memory), seeds)
        still = np.repeat(no_op(chunk.spec, chunk.values[:, :1]), self.delay_steps, axis=1)
        pending = still if memory is None else memory["delay.pending"]  # [B, D, A]
        queue = np.concatenate([pending, chunk.values], axis=1)  # [B, D + T, A]
        k = self.n_action_steps
        return ActionChunk(queue[:, :k], chunk.spec), pack({"delay.pending": queue[:, k : k + self.delay_steps]}, inner)
