"""The judge that repeats the label of a recording: the word of whoever recorded it, which no world can measure.

It reads the events that a recorded world sends at the end of a labelled episode. Without a label, and in every other
world (a dream has no label), nothing is scored: success None, never failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import Episode, Verdict

NO_LABEL = "this episode carries no label"


@dataclass
class LabelJudge:
    name: str = "label"

    @property
    def version(self) -> str:
        return "2"

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e) for e in episodes]

    def _one(self, episode: Episode) -> Verdict:
        labels = {e.name: e.time_s for e in episode.events if e.name in ("success", "failure")}
        if "success" in labels:
            return Verdict(self.name, self.version, True, success_time_s=labels["success"])
        if "failure" in labels:
            return Verdict(self.name, self.version, False)
        return Verdict(self.name, self.version, None, reason=NO_LABEL, scored=False)
