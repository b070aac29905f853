"""From what a model said to a vote, and from votes to a verdict. Pure functions of text.

Words around the JSON are let pass; anything else that was not asked for is malformed, and a malformed answer is no vote.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median_low
from typing import Any

from reverie.core import Verdict
from reverie.judges.rubric import DONE, progress_of
from reverie.judges.vlm.question import MalformedAnswer


@dataclass(frozen=True)
class Vote:
    """level None: the model cannot tell. picture: from 1, the first that shows success."""

    level: int | None
    picture: int | None
    reason: str

    @property
    def success(self) -> bool | None:
        return None if self.level is None else self.level == DONE


def parse(text: str, n_pictures: int) -> Vote:
    """The last JSON object with a level in `text`. Errors: MalformedAnswer, which quotes what was found."""
    found = [value for value in objects(text) if "level" in value]
    if not found:
        raise MalformedAnswer(f"found no JSON object with a level in {quoted(text)}")
    level, picture = found[-1]["level"], found[-1].get("picture")
    if level is not None and not _whole(level, 0, DONE):
        raise MalformedAnswer(f"found level {level!r}, expected a whole number in 0..{DONE} or null")
    if picture is not None and not _whole(picture, 1, n_pictures):
        raise MalformedAnswer(f"found picture {picture!r}, expected a number in 1..{n_pictures} or null")
    return Vote(level, picture if level == DONE else None, str(found[-1].get("reason") or "")[:300])


def objects(text: str) -> Iterator[dict[str, Any]]:
    """Every complete JSON object of `text`, from left to right; those inside another one are part of it."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end, value = at + 1, None
        if isinstance(value, dict):
            yield value
        at = text.find("{", end)


def quoted(text: str) -> str:
    """The beginning of what was said, on one line."""
    return repr(text[:120] + ("..." if len(text) > 120 else ""))


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def verdict_of(judge: tuple[str, str], votes: Sequence[Vote | str], times_s: Sequence[float]) -> Verdict:
    """A majority of the readable votes decides; a tie, or a majority that cannot tell, abstains. Unless more than half of all
    votes can be read the verdict is not scored. votes: a text says why one cannot be read. probability: share of the votes
    for success among those that decide; progress: the mean level."""
    readable = [v for v in votes if isinstance(v, Vote)]
    if 2 * len(readable) <= len(votes):
        bad = next((v for v in votes if isinstance(v, str)), "no votes")
        reason = f"{len(votes) - len(readable)} of {len(votes)} answers cannot be read: {bad}"
        return Verdict(*judge, None, reason=reason, scored=False)
    counts = Counter(v.success for v in readable)
    decided = [v.level for v in readable if v.level is not None]
    success, times = _majority(counts), [times_s[v.picture - 1] for v in readable if v.picture is not None]
    return Verdict(
        *judge,
        success,
        success_time_s=median_low(times) if success and times else None,
        probability=counts[True] / len(decided) if decided else None,
        progress=progress_of(mean(decided)) if decided else None,
        reason=_summary(counts, len(votes), readable, success),
    )


def _majority(counts: Counter[bool | None]) -> bool | None:
    """Of success, failure and "cannot tell"; None for the last and for a tie."""
    (first, most), *others = counts.most_common()
    return None if others and others[0][1] == most else first


def _summary(counts: Counter[bool | None], asked: int, readable: Sequence[Vote], success: bool | None) -> str:
    said = next((v.reason for v in readable if v.success is success and v.reason), readable[0].reason)
    split = f"{counts[True]} success, {counts[False]} failure, {counts[None]} cannot tell, of {asked} votes"
    return f"{split}: {said}" if said else split
