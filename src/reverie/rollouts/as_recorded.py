"""AsRecorded: a policy that does what was recorded, which a recorded world shows beside every frame; it sees nothing else.

It is privileged (a script): only a world of recordings can feed it. In any other world its executed actions are replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import ActionChunk, ActionSpec, Memory, Observations, ObservationSpec, content_hash
from reverie.data.recorded import RECORDED_ACTIONS


@dataclass
class AsRecorded:
    """`frame_every` is the world's: so many commands are shown, and executed, at a time."""

    action_spec: ActionSpec
    frame_every: int = 1
    name: str = "as_recorded"

    @property
    def n_action_steps(self) -> int:
        return self.frame_every

    @property
    def observation_spec(self) -> ObservationSpec:
        return ObservationSpec((), extras=(RECORDED_ACTIONS,), frame_every=self.frame_every)

    @property
    def fingerprint(self) -> str:
        return content_hash(["as_recorded", self.action_spec.to_dict(), self.frame_every])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        shown = observations.extras[RECORDED_ACTIONS][:, -1]  # [B, frame_every, A]
        return ActionChunk(np.asarray(shown, np.float32), self.action_spec), None
