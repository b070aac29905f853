"""Matches: every two policies of one view, the difference of their success and whether it is one.

For a number of trials that was fixed beforehand: Tango or Newcombe, exact McNemar or Boschloo. Else peeking-safe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from reverie.core.estimate import Estimate
from reverie.evaluation.cells import Cell
from reverie.evaluation.entrants import Entrant
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.rates import paired, scored
from reverie.stats import (
    PValue,
    boschloo,
    corrected_difference,
    corrected_difference_sequence,
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
    youden_index,
)

ALPHA = 0.05
TELLING = 0.1
"""How large a difference one would want to see, where none is seen."""


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


def matches(ranked: Sequence[Entrant], fixed: bool, errors: Erring | None) -> list[Match]:
    """Of all pairs, in the order of `ranked`; Holm over those that could be tested."""
    pairs = list(combinations(ranked, 2))
    tested = [_match(a, b, fixed, errors) for a, b in pairs]
    adjusted = iter(float(p) for p in holm([m.p.value for m in tested if m.p.value is not None]))
    found = [replace(m, p_holm=next(adjusted)) if m.p.value is not None else m for m in tested]
    return [replace(m, needed=_needed(*pair, m, errors)) for pair, m in zip(pairs, found, strict=True)]


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


def _match(first: Entrant, second: Entrant, fixed: bool, errors: Erring | None) -> Match:
    one, two = scored(first.cells), scored(second.cells)
    together = is_paired(one, two)
    p = _paired_p(first, one, two, fixed) if together else _unpaired_p(first, second, one, two, fixed)
    seen, true = difference(first, second, fixed), true_difference(first, second, fixed, errors)
    return Match(first.name, second.name, together, seen, p, None, None, true)


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


def _needed(first: Entrant, second: Entrant, match: Match, errors: Erring | None) -> int | None:
    """A judge that errs shows a part of any difference only. None where separated, or nothing may be said."""
    if match.separated or (match.corrected is not None and match.corrected.value is None):
        return None
    telling = TELLING if errors is None else TELLING * (youden_index(**errors.counts.to_dict()).value or 0.0)
    one, two = scored(first.cells), scored(second.cells)
    return _pairs_needed(one, two, telling) if match.paired else _trials_needed(one, two, telling)


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
