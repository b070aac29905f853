"""Success rates: per world, judge and policy, with interval, n, and everything that was left out of n."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import Outcome
from reverie.core.estimate import Estimate
from reverie.evaluation.blocks import REPLAY, SCRIPTS
from reverie.evaluation.cells import Cell, Column
from reverie.evaluation.outcomes import Outcomes, View
from reverie.stats import PairedTable, paired_table, wilson

SCORED = (Outcome.SUCCESS, Outcome.FAILURE)
LEFT_OUT = (Outcome.ERROR, Outcome.REFUSED, Outcome.NOT_SCORED, Outcome.ABSTAINED)


@dataclass(frozen=True)
class Rate:
    """One policy in one view. `left_out` counts trials that are in no rate; `harm` counts events by name."""

    view: View
    policy: str
    success: Estimate
    left_out: Mapping[str, int]
    by_task: Mapping[str, Estimate]
    harm: Mapping[str, int]


COUNTED = {Outcome.SUCCESS: True, Outcome.FAILURE: False}


def scored(cells: Mapping[Cell, Outcome]) -> Mapping[Cell, bool]:
    """Cells with an outcome that counts; True is success. Of a column, a column."""
    if isinstance(cells, Column):
        return cells.renamed(COUNTED)
    return {cell: COUNTED[outcome] for cell, outcome in cells.items() if outcome in COUNTED}


Side = Mapping[str, Column[bool]]
"""policy -> cell -> did it succeed, in one view."""


@dataclass(frozen=True)
class Shared:
    """The outcomes of several views over the same episodes: those that every one of them scored, of the same policies in
    the same order, cells in order. `dropped` counts episodes (of policies that are in all views) that only some scored."""

    sides: tuple[Side, ...]
    dropped: int

    @property
    def policies(self) -> tuple[str, ...]:
        return tuple(self.sides[0])


def shared(table: Outcomes, views: Sequence[View], policies: Sequence[str]) -> Shared:
    """A rate over what one view scored is not comparable with a rate over what another did: a judge that abstains where a
    policy fails would report a perfect policy."""
    sides: list[dict[str, Column[bool]]] = [{} for _ in views]
    dropped = 0
    for policy in policies:
        if any(policy not in table.outcomes[view] for view in views):
            continue
        counted = [table.outcomes[view][policy].renamed(COUNTED) for view in views]
        there = np.stack([column.there for column in counted])  # [V, N]
        every = np.asarray(there.all(0))
        dropped += int(np.count_nonzero(there.any(0) & ~every))
        if every.any():
            for side, column in zip(sides, counted, strict=True):
                side[policy] = column.kept(every)
    return Shared(tuple(sides), dropped)


def rates(table: Outcomes) -> list[Rate]:
    """Every view's policies, the best first; absent rates last."""
    found = [_rate(table, view, p) for view, rows in table.outcomes.items() for p in rows]
    order = {view: i for i, view in enumerate(table.outcomes)}
    return sorted(found, key=lambda r: (order[r.view], _rank(r), r.policy))


def predicting(table: Outcomes) -> list[View]:
    """Views that could predict a truth: of other worlds than its own, by judges that are no controls, in the policies' own
    hands (nothing replayed), those with the most scored policies first."""
    own = [
        v
        for v in table.outcomes
        if not v.world.endswith((REPLAY, SCRIPTS))
        and v.judge.split("@")[0] not in table.plan.controls
        and (table.truth is None or v.world != table.truth.world)
    ]
    n = {v: sum(bool(scored(cells)) for cells in table.outcomes[v].values()) for v in own}
    return sorted((v for v in own if n[v]), key=lambda v: -n[v])


def _rank(rate: Rate) -> float:
    return 1.0 if rate.success.value is None else -rate.success.value


def _rate(table: Outcomes, view: View, policy: str) -> Rate:
    cells = table.outcomes[view][policy]
    counts = Counter(cells.values())
    tasks = {s.id: s.task for s in table.plan.scenes}
    by_task = {task: _of_task(cells, tasks, task) for task in sorted({*tasks.values()})}
    return Rate(
        view,
        policy,
        _wilson(cells),
        {str(o): counts[o] for o in LEFT_OUT if counts[o]},
        {task: _wilson(found) for task, found in by_task.items() if found},
        _by_name(table.harm.get(view, {}).get(policy, {})),
    )


def _by_name(harm: Mapping[tuple[str, str], int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, name), n in harm.items():
        found[name] += n
    return dict(found)


def _of_task(cells: Column[Outcome], tasks: Mapping[str, str], task: str) -> Column[Outcome]:
    return cells.kept(cells.grid.mask(lambda scene, edit: tasks[scene] == task))


def _wilson(cells: Column[Outcome]) -> Estimate:
    return success_rate(scored(cells))


def success_rate(counted: Mapping[Cell, bool]) -> Estimate:
    return wilson(sum(counted.values()), len(counted))


def paired(first: Mapping[Cell, bool], second: Mapping[Cell, bool]) -> PairedTable:
    """Over the cells that both have."""
    if isinstance(first, Column) and isinstance(second, Column) and first.grid == second.grid:
        there = first.there & second.there
        return paired_table(first.array(there), second.array(there))
    both = [cell for cell in first if cell in second]
    return paired_table([first[c] for c in both], [second[c] for c in both])
