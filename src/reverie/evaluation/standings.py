"""Standings: who is better, and how sure. Every pair of policies compared in one view; letters; strengths.

Where all planned trials ran, their number was fixed beforehand: Wilson, Tango or Newcombe, exact McNemar or Boschloo. Where
some are missing, somebody may have stopped at what was seen: then everything is peeking-safe (`stats.sequences`, `e_values`).
Where the judge knows its errors, rates and differences are corrected beside what it called (`stats.judged_difference`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from reverie.core.estimate import Estimate
from reverie.evaluation.corrections import words
from reverie.evaluation.entrants import Entrant, Entrants
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.matches import ALPHA, Match, matches
from reverie.evaluation.outcomes import View
from reverie.evaluation.rates import LEFT_OUT, scored
from reverie.stats import (
    bradley_terry,
    compact_letters,
    confidence_sequence,
    corrected_rate,
    corrected_rate_sequence,
    wilson,
)

NOT_RUN = "not run"


@dataclass(frozen=True)
class Standing:
    """One policy. `success` as it was called; `corrected` for the judge's errors, None where these are not known. `left_out`
    counts trials that are in no rate; `strength` is Bradley-Terry's, of calls on the scenes of all."""

    policy: str
    success: Estimate
    left_out: Mapping[str, int]
    letters: str
    strength: Estimate
    corrected: Estimate | None = None

    @property
    def best_known(self) -> Estimate:
        return self.success if self.corrected is None else self.corrected


@dataclass(frozen=True)
class Standings:
    """Policies, the best first; matches of all pairs. `fixed`: the number of trials was fixed by the plan. `judged`: what was
    corrected for the judge's errors, or that nothing was, in words."""

    view: View
    fixed: bool
    policies: tuple[Standing, ...]
    matches: tuple[Match, ...]
    notes: tuple[str, ...]
    judged: str
    errors: Erring | None = None

    @property
    def next_to_each_other(self) -> tuple[Match, ...]:
        """The matches of every two neighbours in the ranking, among those with a rate."""
        order = [s.policy for s in self.policies if s.success.value is not None]
        neighbours = set(pairwise(order))
        return tuple(m for m in self.matches if (m.first, m.second) in neighbours)

    def to_dict(self) -> dict[str, Any]:
        """Nested fields by name, ready for JSON."""
        return asdict(self)


def standings(found: Entrants) -> Standings:
    """Holm over all pairs of this view that could be tested."""
    fixed, errors = all(e.finished for e in found.policies), found.errors
    ranked = sorted(found.policies, key=lambda e: (_rank(rate(e, fixed)), e.name))
    between = matches(ranked, fixed, errors)
    letters = _letters([e.name for e in ranked], between)
    strengths = _strengths(ranked, fixed)
    policies = [
        Standing(e.name, rate(e, fixed), left_out(e), letters[e.name], s, true_rate(e, fixed, errors))
        for e, s in zip(ranked, strengths, strict=True)
    ]
    notes = (*found.notes, *_notes(ranked, fixed), *_unclear(between))
    judged = words(found.view.judge, errors)
    return Standings(found.view, fixed, tuple(policies), tuple(between), notes, judged, errors)


def rate(entrant: Entrant, fixed: bool) -> Estimate:
    counted = scored(entrant.cells)
    return (wilson if fixed else confidence_sequence)(sum(counted.values()), len(counted))


def true_rate(entrant: Entrant, fixed: bool, errors: Erring | None) -> Estimate | None:
    """The rate behind the judge's calls; None where its errors are not known."""
    if errors is None:
        return None
    counted = scored(entrant.cells)
    interval = corrected_rate if fixed else corrected_rate_sequence
    return interval(sum(counted.values()), len(counted), **errors.counts.to_dict())


def left_out(entrant: Entrant) -> dict[str, int]:
    counts = Counter(str(o) for o in entrant.cells.values() if o in LEFT_OUT)
    counts[NOT_RUN] = sum(cell not in entrant.cells for cell in entrant.planned)
    return {name: n for name, n in counts.items() if n}


def _rank(success: Estimate) -> float:
    return 1.0 if success.value is None else -success.value


def _letters(names: Sequence[str], between: Sequence[Match]) -> dict[str, str]:
    place = {name: i for i, name in enumerate(names)}
    separated = np.zeros((len(names), len(names)), dtype=bool)
    for m in between:
        i, j = place[m.first], place[m.second]
        separated[i, j] = separated[j, i] = m.separated
    return dict(zip(names, compact_letters(separated), strict=True))


def _strengths(ranked: Sequence[Entrant], fixed: bool) -> list[Estimate]:
    if len(ranked) < 2:
        return [Estimate.absent(0, "Bradley-Terry strength", 1 - ALPHA, "one policy")] * len(ranked)
    sides = [scored(e.cells) for e in ranked]
    cells = sorted(set().union(*sides))
    found = bradley_terry(np.array([[side.get(c, np.nan) for side in sides] for c in cells]).reshape(-1, len(sides)))
    if fixed:
        return found
    reason = "no interval: it would not be peeking-safe"
    return [e if e.value is None else replace(e, low=None, high=None, reason=reason) for e in found]


def _unclear(between: Sequence[Match]) -> list[str]:
    """Why nothing is said of differences that a judge called, where it may be guessing."""
    reasons = {m.corrected.reason for m in between if m.corrected is not None and m.difference.value is not None}
    return sorted(f"nobody is called better: {reason}" for reason in reasons if reason is not None)


def _notes(ranked: Sequence[Entrant], fixed: bool) -> list[str]:
    said = []
    if not fixed:
        ran, planned = (sum(map(len, side)) for side in zip(*((e.cells, e.planned) for e in ranked), strict=True))
        said.append(
            f"{ran} of {planned} planned trials ran: intervals and p-values are peeking-safe, which makes them wider"
        )
    for e in ranked:
        missing = sum(n for name, n in left_out(e).items() if name != NOT_RUN)
        if 10 * missing > len(e.cells):
            said.append(f"{missing} of {len(e.cells)} trials of {e.name} are in no rate: what is left may flatter it")
    return said
