"""Recorded: a policy that plays given actions, one sequence a row; it looks at nothing.

With it, what happened in one world is replayed in another: the bound on what any judge can do there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionChunk, ActionSpec, Memory, Observations, ObservationSpec, ReverieError, content_hash
from reverie.rollouts.no_op import no_op


@dataclass
class Recorded:
    """`actions` [B, N, A], row by row; after their end the policy holds still. `frame_every` is the world's."""

    actions: NDArray[np.float32]
    action_spec: ActionSpec
    frame_every: int = 1
    n_action_steps: int = 1
    name: str = "recorded"

    @property
    def observation_spec(self) -> ObservationSpec:
        return ObservationSpec((), frame_every=self.frame_every)

    @property
    def fingerprint(self) -> str:
        return content_hash(["recorded", self.actions.tolist()])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        if memory is None:
            memory = self._start(len(seeds))
        step, played = memory["step"], memory["actions"]  # [B], [B, N, A]
        index = step[:, None] + np.arange(self.n_action_steps)  # [B, T]
        rows, last = np.arange(len(step))[:, None], played.shape[1] - 1
        now = played[rows, np.minimum(index, last)]
        values = np.where((index > last)[..., None], no_op(self.action_spec, now), now)
        return ActionChunk(values, self.action_spec), {"step": step + self.n_action_steps, "actions": played}

    def _start(self, rows: int) -> Memory:
        """The sequences go into the memory: from here on rows may be taken apart or reordered."""
        if self.actions.shape[0] != rows:
            raise ReverieError(f"{self.actions.shape[0]} recorded sequences for {rows} rows: give one each")
        return {"step": np.zeros(rows, dtype=np.int64), "actions": self.actions}
