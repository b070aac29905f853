"""Ensembled: temporal ensembling (Zhao et al. 2023, "Learning Fine-Grained Bimanual Manipulation", section IV-A, alg. 2).

Each executed action is the weighted mean of all predictions for that moment, w_i = exp(-m i) with i = 0 the OLDEST.
Numbers are averaged as they are: absolute rotations should be in a representation that bears it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionChunk, Memory, Observations, content_hash
from reverie.rollouts.inner_memory import pack, unpack
from reverie.rollouts.wrapper import Wrapper


@dataclass
class Ensembled(Wrapper):
    """`inner` asked every `n_action_steps` (1 in the paper); `m` is how fast newer predictions lose weight."""

    m: float = 0.01
    n_action_steps: int = 1

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}+ensemble"

    @property
    def fingerprint(self) -> str:
        return content_hash(["ensembled", self.inner.fingerprint, self.m, self.n_action_steps])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        chunk, inner = self.inner.infer(observations, unpack(memory), seeds)
        newest = chunk.values  # [B, T, A]
        kept = -(-newest.shape[1] // self.n_action_steps)  # older chunks say nothing about now
        past = newest[:, :0, None] if memory is None else memory["ensemble.chunks"]  # [B, K, T, A], newest first
        chunks = newest[:, None] if memory is None else np.concatenate([newest[:, None], past], axis=1)[:, :kept]
        mean = combine(chunks, self.n_action_steps, self.m)
        return ActionChunk(mean, chunk.spec), pack({"ensemble.chunks": chunks}, inner)


def combine(chunks: NDArray[np.float32], every: int, m: float) -> NDArray[np.float32]:
    """[B, K, T, A], newest first, one call every `every` steps -> [B, T, A]: for each step the weighted mean of all."""
    rows, calls, length, width = chunks.shape
    total, weight = np.zeros((rows, length, width)), np.zeros((1, length, 1))
    said = np.minimum((length - 1 - np.arange(length)) // every + 1, calls)  # chunks that reach step t from now
    for age in range(calls):
        reach = length - age * every
        w = np.exp(-m * (said[:reach] - 1 - age))[None, :, None]  # the oldest that reaches has i = 0
        total[:, :reach] += w * chunks[:, age, age * every :]
        weight[:, :reach] += w
    return np.asarray(total / weight, dtype=np.float32)
