"""Judges for tests: one reads frames, one repeats what the world recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core.episode import Episode
from reverie.core.fakes.specs import NEAR, SIZE
from reverie.core.judge import Verdict

Array = NDArray[np.float64]


@dataclass
class FakeJudge:
    """Finds the green square and the white dot in the last frames and asks whether they touch; abstains without green."""

    name: str = "fake_frames"
    version: str = "1"
    near: float = NEAR

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e.observations.images["front"][-1].astype(np.float64)) for e in episodes]

    def _one(self, image: Array) -> Verdict:
        grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="xy"), axis=-1) / (SIZE - 1)
        green, white = np.clip(image[..., 1] - image[..., 0] - 60, 0, None), np.clip(image[..., 0] - 60, 0, None)
        if green.sum() == 0 or white.sum() == 0:
            return Verdict(self.name, self.version, None, reason="square or dot not seen")
        centres = [(grid * w[..., None]).sum((0, 1)) / w.sum() for w in (green, white)]
        distance = float(np.linalg.norm(centres[0] - centres[1]))
        return Verdict(self.name, self.version, distance < self.near, progress=float(np.clip(1 - distance, 0, 1)))


@dataclass
class RecordedOutcomeJudge:
    """Says what the world itself recorded; abstains where nothing was recorded."""

    name: str = "recorded"
    version: str = "1"

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [
            Verdict(
                self.name,
                self.version,
                e.success,
                e.success_time_s,
                reason="" if e.success is not None else "the world records no outcome",
            )
            for e in episodes
        ]
