"""The judge that is right by definition where a world measures success: it reads what the episode carries.

It knows the names under which worlds report (`extras["success"]`, `extras["progress"]`, events), nothing about tasks. A
label that somebody attached to an episode is no measurement, so an episode without these is not judged: success None.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import Episode, Verdict

NOT_MEASURED = "the world of this episode does not measure success"


@dataclass
class PhysicsJudge:
    """harm_events: names of events that count as harm, listed in the verdict in the order of their time."""

    name: str = "physics"
    harm_events: tuple[str, ...] = ("dropped",)

    @property
    def version(self) -> str:
        return "1"

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e) for e in episodes]

    def _one(self, episode: Episode) -> Verdict:
        measured = episode.observations.extras.get("success")
        times = [e.time_s for e in episode.events if e.name == "success"]
        if measured is None and not times:
            return Verdict(self.name, self.version, None, reason=NOT_MEASURED)
        success = bool(times) or bool(measured is not None and measured.any())
        return Verdict(
            self.name,
            self.version,
            success,
            success_time_s=_first_time(episode, times) if success else None,
            probability=float(success),
            progress=_progress(episode),
            harm=tuple(e.name for e in sorted(episode.events, key=lambda e: e.time_s) if e.name in self.harm_events),
        )


def _first_time(episode: Episode, event_times: Sequence[float]) -> float:
    """The event's time is exact; without one, the first frame that shows success."""
    if event_times:
        return min(event_times)
    return float(episode.observations.time_s[int(episode.observations.extras["success"].argmax())])


def _progress(episode: Episode) -> float | None:
    values = episode.observations.extras.get("progress")
    return None if values is None or not values.size else float(values.max())
