"""Judges for tests: one reads frames, one repeats what the world recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core.episode import Episode
from reverie.core.fakes.pixels import centres
from reverie.core.fakes.specs import NEAR
from reverie.core.judge import Verdict


@dataclass
class FakeJudge:
    """Finds the green square and the white dot in the last frames and asks whether they touch; abstains without green."""

    name: str = "fake_frames"
    version: str = "1"
    near: float = NEAR

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e.observations.images["front"][-1:]) for e in episodes]

    def _one(self, image: NDArray[np.uint8]) -> Verdict:
        square, dot = centres(image)
        distance = float(np.linalg.norm(square - dot))
        if np.isnan(distance):
            return Verdict(self.name, self.version, None, reason="square or dot not seen")
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
