"""Do the judges of a run agree? Every two of them, on the trials that both scored, world by world and over all.

A trial that either did not score is left out and counted by its reason; agreement says nothing about who is right.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from reverie.core import Outcome, ReverieError, TrialKey
from reverie.evaluation.blocks import SCRIPTS
from reverie.evaluation.cells import Cell
from reverie.evaluation.outcomes import Outcomes, View, read_outcomes
from reverie.evaluation.rates import SCORED
from reverie.stats import Agreement, agreement

ALL = "all worlds"
LISTED = 50


@dataclass(frozen=True)
class JudgePair:
    """Counts of trials: both called a success, only the first did, only the second, neither. left_out: judge -> outcome
    that is no success or failure -> trials. disagreements: the first of them, as policy|world|scene|edit|replicate."""

    world: str
    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int
    n_left_out: int
    left_out: Mapping[str, Mapping[str, int]]
    disagreements: tuple[str, ...]
    agreement: Agreement

    @property
    def n(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class JudgesOfRun:
    """outcomes: judge -> outcome -> trials of the run."""

    n_trials: int
    outcomes: Mapping[str, Mapping[str, int]]
    pairs: tuple[JudgePair, ...]

    def only(self, judges: Sequence[str]) -> "JudgesOfRun":
        """Of these judges alone, at any version."""
        known = [j for j in self.outcomes if any(f"{j}@".startswith(f"{name}@") for name in judges)]
        pairs = tuple(p for p in self.pairs if p.first in known and p.second in known)
        return JudgesOfRun(self.n_trials, {j: self.outcomes[j] for j in known}, pairs)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare_judges(folder: Path) -> JudgesOfRun:
    """Errors: ReverieError for a run that nobody judged."""
    table = read_outcomes(folder)
    views = [v for v in table.outcomes if not v.world.endswith(SCRIPTS)]  # those unite the trials of others
    judges, worlds = (list(dict.fromkeys(getattr(v, part) for v in views)) for part in ("judge", "world"))
    if not judges:
        raise ReverieError(f"{folder}: found no verdict; judge it first: reverie judge, or reverie rate")
    groups = {world: [world] for world in worlds} | ({ALL: worlds} if len(worlds) > 1 else {})
    pairs = [_pair(table, name, group, a, b) for name, group in groups.items() for a, b in combinations(judges, 2)]
    return JudgesOfRun(table.n_trials, {j: _counts(table, views, j) for j in judges}, tuple(pairs))


def _counts(table: Outcomes, views: Sequence[View], judge: str) -> dict[str, int]:
    mine = [cells for v in views if v.judge == judge for cells in table.outcomes[v].values()]
    return _sorted(sum((Counter(cells.values()) for cells in mine), Counter()))


def _pair(table: Outcomes, name: str, worlds: Sequence[str], first: str, second: str) -> JudgePair:
    calls: list[tuple[bool, bool]] = []
    policies: list[str] = []
    odd: list[str] = []
    left_out: dict[str, Counter[Outcome]] = {first: Counter(), second: Counter()}
    n_trials = 0
    for trial, outcomes in _said(table, worlds, first, second):
        n_trials += 1
        left_out[first][outcomes[0]] += 1
        left_out[second][outcomes[1]] += 1
        if outcomes[0] in SCORED and outcomes[1] in SCORED:
            calls.append((outcomes[0] is Outcome.SUCCESS, outcomes[1] is Outcome.SUCCESS))
            policies.append(trial.policy)
            odd += [trial.id] if outcomes[0] is not outcomes[1] and len(odd) < LISTED else []
    counts = Counter(calls)
    return JudgePair(
        name, first, second,
        both=counts[True, True],
        only_first=counts[True, False],
        only_second=counts[False, True],
        neither=counts[False, False],
        n_left_out=n_trials - len(calls),
        left_out={j: _sorted(Counter({o: n for o, n in c.items() if o not in SCORED})) for j, c in left_out.items()},
        disagreements=tuple(odd),
        agreement=_agreement(calls, policies),
    )  # fmt: skip


def _said(
    table: Outcomes, worlds: Sequence[str], first: str, second: str
) -> Iterator[tuple[TrialKey, tuple[Outcome, Outcome]]]:
    """Every trial with what the two judges say of it."""
    for world in worlds:
        one, other = (table.outcomes.get(View(world, judge), {}) for judge in (first, second))
        for policy in one:
            theirs: Mapping[Cell, Outcome] = other.get(policy, {})
            for cell, outcome in one[policy].items():
                yield TrialKey(policy, world, *cell), (outcome, theirs.get(cell, Outcome.NOT_SCORED))


def _agreement(calls: Sequence[tuple[bool, bool]], policies: Sequence[str]) -> Agreement:
    """Trials of one policy are alike: with several policies there are also intervals over these."""
    first, second = [int(a) for a, _ in calls], [int(b) for _, b in calls]
    return agreement(first, second, policies if len(set(policies)) > 1 else None)


def _sorted(counts: Counter[Outcome]) -> dict[str, int]:
    return {str(o): n for o, n in sorted(counts.items())}
