"""Standings: who is better, and how sure. Every pair of policies compared in one view; letters; strengths.

Where all planned trials ran, their number was fixed beforehand: Wilson, Tango or Newcombe, exact McNemar or Boschloo. Where
some are missing, somebody may have stopped at what was seen: then everything is peeking-safe (`stats.sequences`, `e_values`).
Where the judge knows its errors, rates and differences are corrected beside what it called (`stats.judged_difference`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from reverie.core.estimate import Estimate
from reverie.evaluation.cells import Cell
from reverie.evaluation.corrections import words
from reverie.evaluation.entrants import Entrant, Entrants
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.outcomes import View
from reverie.evaluation.rates import LEFT_OUT, paired, scored
from reverie.stats import (
    PValue,
    boschloo,
    bradley_terry,
    compact_letters,
    confidence_sequence,
    corrected_difference,
    corrected_difference_sequence,
    corrected_rate,
    corrected_rate_sequence,
    exact_mcnemar,
    holm,
    paired_difference,
    paired_difference_sequence,
    paired_sample_size,
    sequential_paired,
    sequential_unpaired,
    unpaired_difference,
    unpaired_difference_sequence,
    unpaired_sample_size,
    wilson,
    youden_index,
)

ALPHA = 0.05
TELLING = 0.1
"""How large a difference one would want to see, where none is seen."""
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
class Match:
    """Two policies, `first` higher in the standings. `corrected`: the difference behind a judge whose errors are known, else
    None; absent where it is not known to tell success from failure, and nothing is separated then. `needed`: pairs, or trials of either where unpaired, that would show
    a difference of TELLING with 80 % power; None where they are separated or more are needed than anyone should run."""

    first: str
    second: str
    paired: bool
    difference: Estimate
    p: PValue
    p_holm: float | None
    needed: int | None = None
    corrected: Estimate | None = None

    @property
    def best_known(self) -> Estimate:
        return self.difference if self.corrected is None else self.corrected

    @property
    def separated(self) -> bool:
        return self.p_holm is not None and self.p_holm <= ALPHA and self.best_known.value is not None


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

    def to_dict(self) -> dict[str, Any]:
        """Nested fields by name, ready for JSON."""
        return asdict(self)


def standings(found: Entrants) -> Standings:
    """Holm over all pairs of this view that could be tested."""
    fixed, errors = all(e.finished for e in found.policies), found.errors
    ranked = sorted(found.policies, key=lambda e: (_rank(rate(e, fixed)), e.name))
    matches = _adjusted([_match(a, b, fixed, errors) for a, b in combinations(ranked, 2)])
    letters = _letters([e.name for e in ranked], matches)
    strengths = _strengths(ranked, fixed)
    policies = [
        Standing(e.name, rate(e, fixed), left_out(e), letters[e.name], s, true_rate(e, fixed, errors))
        for e, s in zip(ranked, strengths, strict=True)
    ]
    notes = (*found.notes, *_notes(ranked, fixed), *_unclear(matches))
    judged = words(found.view.judge, errors)
    return Standings(found.view, fixed, tuple(policies), tuple(matches), notes, judged, errors)


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


def difference(first: Entrant, second: Entrant, fixed: bool, level: float = 1 - ALPHA) -> Estimate:
    """Success of the first minus that of the second, over the scenes that both ran where these are enough to pair."""
    one, two = scored(first.cells), scored(second.cells)
    if is_paired(one, two):
        return (paired_difference if fixed else paired_difference_sequence)(paired(one, two), level)
    counts = (sum(one.values()), len(one), sum(two.values()), len(two))
    return (unpaired_difference if fixed else unpaired_difference_sequence)(*counts, level)


def true_difference(
    first: Entrant, second: Entrant, fixed: bool, errors: Erring | None, level: float = 1 - ALPHA
) -> Estimate | None:
    """`difference` behind the judge's calls; None where its errors are not known."""
    if errors is None:
        return None
    counts = errors.counts.to_dict()
    if fixed:
        return corrected_difference(difference(first, second, fixed, level), **counts)
    return corrected_difference_sequence(difference(first, second, fixed, (1 + level) / 2), **counts, level=level)


def is_paired(one: Mapping[Cell, bool], two: Mapping[Cell, bool]) -> bool:
    """Pairs leave out the scenes that only one of them has: they are taken where at least half of the smaller side has one."""
    both = len(one.keys() & two.keys())
    return both > 0 and 2 * both >= min(len(one), len(two))


def _rank(success: Estimate) -> float:
    return 1.0 if success.value is None else -success.value


def _match(first: Entrant, second: Entrant, fixed: bool, errors: Erring | None) -> Match:
    one, two = scored(first.cells), scored(second.cells)
    together = is_paired(one, two)
    p = _paired_p(first, one, two, fixed) if together else _unpaired_p(first, second, one, two, fixed)
    seen, true = difference(first, second, fixed), true_difference(first, second, fixed, errors)
    telling = TELLING if errors is None else TELLING * (youden_index(**errors.counts.to_dict()).value or 0.0)
    needed = None
    if true is None or true.value is not None:
        needed = _pairs_needed(one, two, telling) if together else _trials_needed(one, two, telling)
    return Match(first.name, second.name, together, seen, p, None, needed, true)


def _paired_p(first: Entrant, one: Mapping[Cell, bool], two: Mapping[Cell, bool], fixed: bool) -> PValue:
    if fixed:
        return exact_mcnemar(paired(one, two))
    both = [c for c in first.planned if c in one and c in two]
    return sequential_paired([one[c] for c in both], [two[c] for c in both])


def _unpaired_p(
    first: Entrant, second: Entrant, one: Mapping[Cell, bool], two: Mapping[Cell, bool], fixed: bool
) -> PValue:
    if fixed:
        return boschloo(sum(one.values()), len(one), sum(two.values()), len(two))
    return sequential_unpaired(
        [one[c] for c in first.planned if c in one], [two[c] for c in second.planned if c in two]
    )


def _pairs_needed(one: Mapping[Cell, bool], two: Mapping[Cell, bool], telling: float) -> int | None:
    """With as many discordant pairs as were seen, but split by `telling`."""
    table = paired(one, two)
    discordant = max((table.first_only + table.second_only) / table.n, telling)
    return paired_sample_size((discordant + telling) / 2, (discordant - telling) / 2)


def _trials_needed(one: Mapping[Cell, bool], two: Mapping[Cell, bool], telling: float) -> int | None:
    """Around the common rate that was seen."""
    n = len(one) + len(two)
    middle = (sum(one.values()) + sum(two.values())) / n if n else 0.5
    middle = min(max(middle, telling / 2), 1 - telling / 2)
    return unpaired_sample_size(middle + telling / 2, middle - telling / 2)


def _adjusted(matches: Sequence[Match]) -> list[Match]:
    adjusted = iter(float(p) for p in holm([m.p.value for m in matches if m.p.value is not None]))
    found = [replace(m, p_holm=next(adjusted)) if m.p.value is not None else m for m in matches]
    return [replace(m, needed=None) if m.separated else m for m in found]


def _letters(names: Sequence[str], matches: Sequence[Match]) -> dict[str, str]:
    place = {name: i for i, name in enumerate(names)}
    separated = np.zeros((len(names), len(names)), dtype=bool)
    for m in matches:
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


def _unclear(matches: Sequence[Match]) -> list[str]:
    """Why nothing is said of differences that a judge called, where it may be guessing."""
    reasons = {m.corrected.reason for m in matches if m.corrected is not None and m.difference.value is not None}
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
