"""Do the judges of a run agree? Every two of them, on the trials that both scored, world by world and over all.

A trial that either did not score is left out and counted by its reason; agreement says nothing about who is right.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from reverie.core import Outcome, ReverieError
from reverie.evaluation.outcomes import SCRIPTS, Cell, Outcomes, View, read_outcomes
from reverie.evaluation.rates import SCORED
from reverie.stats import Agreement, agreement

ALL = "all worlds"
LISTED = 50
Trials = Mapping[tuple[str, str, Cell], Outcome]
"""(world, policy, cell) -> outcome in the eyes of one judge."""


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
    said = _by_judge(table)
    if not said:
        raise ReverieError(f"{folder}: found no verdict; judge it first: reverie judge, or reverie rate")
    worlds = list(dict.fromkeys(world for trials in said.values() for world, _, _ in trials))
    pairs = [_pair(w, a, b, said) for w in worlds for a, b in combinations(said, 2)]
    if len(worlds) > 1:
        pairs += [_pair(ALL, a, b, said) for a, b in combinations(said, 2)]
    counts = {judge: _counts(trials.values()) for judge, trials in said.items()}
    return JudgesOfRun(table.n_trials, counts, tuple(pairs))


def _by_judge(table: Outcomes) -> dict[str, dict[tuple[str, str, Cell], Outcome]]:
    """Arms that unite others are left out: their trials stand in them already."""
    found: dict[str, dict[tuple[str, str, Cell], Outcome]] = {}
    for view, policy, cell, outcome in _outcomes(table):
        if not view.world.endswith(SCRIPTS):
            found.setdefault(view.judge, {})[view.world, policy, cell] = outcome
    return found


def _outcomes(table: Outcomes) -> Iterator[tuple[View, str, Cell, Outcome]]:
    for view, policies in table.outcomes.items():
        for policy, cells in policies.items():
            yield from ((view, policy, cell, outcome) for cell, outcome in cells.items())


def _pair(world: str, first: str, second: str, said: Mapping[str, Trials]) -> JudgePair:
    trials = [t for t in said[first] if world in (ALL, t[0]) and t in said[second]]
    compared = [t for t in trials if said[first][t] in SCORED and said[second][t] in SCORED]
    calls = [(said[first][t] is Outcome.SUCCESS, said[second][t] is Outcome.SUCCESS) for t in compared]
    counts = Counter(calls)
    odd = [t for t, (one, other) in zip(compared, calls, strict=True) if one is not other]
    return JudgePair(
        world, first, second,
        both=counts[True, True],
        only_first=counts[True, False],
        only_second=counts[False, True],
        neither=counts[False, False],
        n_left_out=len(trials) - len(compared),
        left_out={j: _counts(said[j][t] for t in trials if said[j][t] not in SCORED) for j in (first, second)},
        disagreements=tuple(_name(t) for t in odd[:LISTED]),
        agreement=_agreement(calls, [policy for _, policy, _ in compared]),
    )  # fmt: skip


def _agreement(calls: Sequence[tuple[bool, bool]], policies: Sequence[str]) -> Agreement:
    """Trials of one policy are alike: with several policies there are also intervals over these."""
    first, second = [int(a) for a, _ in calls], [int(b) for _, b in calls]
    return agreement(first, second, policies if len(set(policies)) > 1 else None)


def _counts(outcomes: Any) -> dict[str, int]:
    return {str(o): n for o, n in sorted(Counter(outcomes).items())}


def _name(trial: tuple[str, str, Cell]) -> str:
    world, policy, (scene, edit, replicate) = trial
    return f"{policy}|{world}|{scene}|{edit}|{replicate}"
