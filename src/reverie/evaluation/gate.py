"""The gate: is a policy worse than another by more than a margin? Decided from intervals, for machines that must say yes or no."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reverie.core import ReverieError
from reverie.core.estimate import Estimate
from reverie.evaluation.entrants import Entrant, Entrants
from reverie.evaluation.matches import ALPHA, difference, true_difference
from reverie.stats.formats import points

State = Literal["not worse", "worse", "cannot tell"]
EXIT_CODES: dict[State, int] = {"not worse": 0, "worse": 1, "cannot tell": 3}
"""2 is bad input, as of every verb."""


@dataclass(frozen=True)
class Check:
    """One candidate against its reference; difference: candidate - reference."""

    candidate: str
    reference: str
    difference: Estimate
    state: State


@dataclass(frozen=True)
class Gate:
    """`state`: worse if any candidate is, else cannot tell if any cannot be told, else not worse."""

    margin: float
    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        states = {c.state for c in self.checks}
        return "worse" if "worse" in states else "cannot tell" if "cannot tell" in states else "not worse"

    def words(self) -> list[str]:
        """One sentence per check."""
        margin = f"by more than {100 * self.margin:g} points"
        said = {
            "not worse": "{0} is not worse than {1} {2}",
            "worse": "{0} is worse than {1} {2}",
            "cannot tell": "whether {0} is worse than {1} {2} cannot be told",
        }
        return [
            f"{said[c.state].format(c.candidate, c.reference, margin)}: {c.difference.reason or points(c.difference)}"
            for c in self.checks
        ]


def gate(found: Entrants, margin: float) -> Gate:
    """Every candidate against its reference: in one run every other policy against the first; of two runs, a policy of the
    second against the one of the same name in the first, or against the only one there.

    Of a judge that knows its errors, differences are corrected for them: the margin is one of true success.
    `worse`: the whole interval lies below -margin. `not worse`: none of it does. Else it cannot be told. The intervals are
    those of the standings, at level 1 - 0.05 / candidates (Bonferroni), so that any wrong answer, either way, has a chance of
    at most about 5 %.
    Raises ReverieError for a margin outside [0, 1) and where nothing can be compared.
    """
    if not 0 <= margin < 1:
        raise ReverieError(f"the margin is {margin}: expected a share of trials in [0, 1), such as 0.05")
    fixed, pairs = all(e.finished for e in found.policies), _pairs(found.policies)
    level = 1 - ALPHA / len(pairs)
    differences = [
        true_difference(*pair, fixed, found.errors, level) or difference(*pair, fixed, level) for pair in pairs
    ]
    checks = [
        Check(candidate.name, reference.name, d, state_of(d, margin))
        for (candidate, reference), d in zip(pairs, differences, strict=True)
    ]
    return Gate(margin, tuple(checks))


def state_of(difference: Estimate, margin: float) -> State:
    if difference.low is None or difference.high is None:
        return "cannot tell"
    if difference.high < -margin:
        return "worse"
    return "not worse" if difference.low >= -margin else "cannot tell"


def _pairs(policies: Sequence[Entrant]) -> list[tuple[Entrant, Entrant]]:
    """(candidate, reference)."""
    before, after = ([e for e in policies if e.run == run] for run in (0, 1))
    if not after:
        pairs = [(candidate, before[0]) for candidate in before[1:]]
    elif len(before) == len(after) == 1:
        pairs = [(after[0], before[0])]
    else:
        same = {e.policy: e for e in before}
        pairs = [(candidate, same[candidate.policy]) for candidate in after if candidate.policy in same]
    if not pairs:
        raise ReverieError(
            "nothing to hold against each other: expected two policies of one run, the reference first, "
            "or policies of the same name in both runs; choose with --policies"
        )
    return pairs
