"""Does an evaluator predict success? Everything that real and predicted rates say together, at every level there is.

For anyone's table of rates and for a run of this program alike. Levels are never mixed: policies (what a ranking is of),
each task alone, and (policy, task) cells, which are not independent of each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import median_low
from typing import Any

import numpy as np

from reverie.core.estimate import Estimate
from reverie.evaluation.cells import Column
from reverie.evaluation.comparison import LEVEL, Comparison, over_trials
from reverie.evaluation.levels import NO_N, Level, Trials, level_of, within_tasks
from reverie.evaluation.outcomes import Outcomes
from reverie.evaluation.rate_table import RateRow
from reverie.evaluation.rates import Shared, paired, shared, success_rate
from reverie.stats import Resampling, Statistic, boschloo, exact_mcnemar, holm, rate_bootstrap, wilson
from reverie.stats.arguments import FloatArray
from reverie.stats.resampling import DEFAULT_RESAMPLING

OF_CELLS = Resampling(draws=1_000)
"""There are many cells; their statistics compare every two."""


@dataclass(frozen=True)
class Validity:
    """overall: policies. within_tasks: Pearson of cells after the mean of their task was taken off both sides.
    left_out: policies that lack a task, which are in no policy level. impossible: cells whose rate is no k / n. bias_corrected:
    the overall bias behind a judge whose errors are known."""

    source: str
    overall: Level
    tasks: Mapping[str, Level]
    cells: Level | None
    within_tasks: Estimate | None
    left_out: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()
    bias_corrected: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "v": 1,
            "source": self.source,
            "level": LEVEL,
            **self.overall.to_dict(),
            "per_task": {task: level.to_dict() for task, level in self.tasks.items()},
            "cells": self.cells.to_dict() if self.cells else None,
            "within_tasks": self.within_tasks.to_dict() if self.within_tasks else None,
            "left_out": list(self.left_out),
            "impossible": list(self.impossible),
            "bias_corrected": self.bias_corrected.to_dict() if self.bias_corrected else None,
        }


def of_table(rows: Sequence[RateRow], source: str) -> Validity:
    """A policy's rate is the mean of its tasks', weighted by their trials over all policies (all alike without n)."""
    tasks = tuple(dict.fromkeys(row.task for row in rows))
    kept, whole, shares = by_policy(rows)
    many = len(tasks) > 1
    return Validity(
        source,
        _table_level(kept, whole, shares),
        {t: _plain([row for row in rows if row.task == t], [r.policy for r in rows if r.task == t]) for t in tasks},
        _cells(rows) if many else None,
        within_tasks([r.predicted for r in rows], [r.real for r in rows], [r.task for r in rows]) if many else None,
        tuple(p for p in dict.fromkeys(r.policy for r in rows) if p not in whole),
        tuple(f"{r.policy} / {r.task} (line {r.line})" for r in rows if _is_impossible(r)),
    )


def of_run(table: Outcomes, comparison: Comparison) -> Validity:
    """Of one view of a run against its truth: over the same episodes, and with the same numbers, as its report."""
    found = shared(table, (comparison.view, comparison.truth), table.policies)
    of = {s.id: s.task for s in table.plan.scenes}
    tasks = tuple(dict.fromkeys(of[scene] for cells in found.sides[0].values() for scene, *_ in cells))
    by_cell = _by_cell(found, of)
    rates = [[success_rate(cells).value or 0.0 for cells in side.values()] for side in by_cell.sides]
    cell_tasks = [name.rsplit(" / ", 1)[1] for name in by_cell.policies]
    source = f"{comparison.view.world}, judged by {comparison.view.judge}"
    return Validity(
        source,
        _run_level(found),
        {t: _run_level(_of_task(found, of, t)) for t in tasks},
        _run_level(by_cell, exchangeable=False) if len(tasks) > 1 else None,
        within_tasks(rates[0], rates[1], cell_tasks) if len(tasks) > 1 else None,
        bias_corrected=comparison.bias_corrected,
    )


def _plain(rows: Sequence[RateRow], units: Sequence[str]) -> Level:
    return _table_level(rows, units, np.eye(len(rows)))


def _cells(rows: Sequence[RateRow]) -> Level:
    names = [f"{row.policy} / {row.task}" for row in rows]
    return _table_level(rows, names, np.eye(len(rows)), OF_CELLS, exchangeable=False)


def _table_level(
    rows: Sequence[RateRow],
    units: Sequence[str],
    shares: FloatArray,
    resampling: Resampling = DEFAULT_RESAMPLING,
    exchangeable: bool = True,
) -> Level:
    """`shares` [K, C] makes rates of K units out of the cells of `rows`."""
    predicted, real = [r.predicted for r in rows], [r.real for r in rows]
    numbers = [[n for n in side if n is not None] for side in ([r.n_predicted for r in rows], [r.n for r in rows])]
    if not rows or any(len(side) < len(rows) for side in numbers):
        return level_of(units, _rates(predicted, [], shares), _rates(real, [], shares), None, exchangeable)

    def bootstrap(statistic: Statistic) -> Estimate:
        return rate_bootstrap(statistic, (predicted, numbers[0]), (real, numbers[1]), shares, resampling)

    rates, totals = _rates(real, numbers[1], shares), [[_total(n, row) for row in shares] for n in numbers]
    trials = Trials(bootstrap, (totals[0], totals[1]), _neighbours(rates, totals[1]) if exchangeable else ())
    return level_of(units, _rates(predicted, numbers[0], shares), rates, trials, exchangeable)


def _total(numbers: Sequence[int], row: FloatArray) -> int:
    return int(np.asarray(numbers)[row > 0].sum())


def _neighbours(real: Sequence[Estimate], n: Sequence[int]) -> tuple[float, ...]:
    """Boschloo's test of every two neighbours in the real ranking, as of trials on different scenes."""
    ranked = sorted(zip([e.value or 0.0 for e in real], n, strict=True), reverse=True)
    counts = [(round(rate * trials), trials) for rate, trials in ranked]
    return tuple(float(p) for p in holm([boschloo(*a, *b).value or 0.0 for a, b in pairwise(counts)]))


def _rates(rates: Sequence[float], trials: Sequence[int], shares: FloatArray) -> list[Estimate]:
    """Of every unit; Wilson's interval where the rate is that of the pooled trials."""
    found = []
    for row in shares:
        value, inside = float(np.clip(np.round(row @ np.asarray(rates), 12), 0, 1)), np.flatnonzero(row).tolist()
        n = [trials[i] for i in inside] if trials else []
        if not n or not np.allclose(row[inside], np.asarray(n) / sum(n)):
            reason = NO_N if not n else "no interval: tasks weigh otherwise than their trials"
            found.append(Estimate(value, None, None, sum(n), "mean over tasks", LEVEL, reason))
            continue
        pooled = wilson(sum(round(rates[i] * trials[i]) for i in inside), sum(n))
        found.append(Estimate(value, pooled.low, pooled.high, pooled.n, pooled.method, LEVEL))
    return found


def by_policy(rows: Sequence[RateRow]) -> tuple[list[RateRow], tuple[str, ...], FloatArray]:
    """The cells of those policies that have every task, their names, and the shares [K, K T] that make their rates: the
    same weights of tasks for every policy, so that none is better for having been tried on easier ones."""
    tasks = tuple(dict.fromkeys(row.task for row in rows))
    cells = {(row.policy, row.task): row for row in rows}
    names = tuple(p for p in dict.fromkeys(r.policy for r in rows) if all((p, t) in cells for t in tasks))
    kept = [cells[p, t] for p, t in product(names, tasks)]
    trials = np.array([row.n or 1 for row in kept], np.float64).reshape(len(names), len(tasks))
    weights = trials.sum(0) / max(trials.sum(), 1.0)
    return kept, names, np.kron(np.eye(len(names)), weights)


def _is_impossible(row: RateRow) -> bool:
    """No number of successes in n trials makes this real rate, however it was rounded."""
    return row.n is not None and abs(row.real * row.n - round(row.real * row.n)) > row.rounding * row.n + 1e-9


def _run_level(found: Shared, exchangeable: bool = True) -> Level:
    predicted, real = ([success_rate(cells) for cells in side.values()] for side in found.sides)
    if not real:
        return level_of((), (), (), None)
    numbers = [median_low([rate.n for rate in real])] * len(real)  # as the report's noise floor
    trials = Trials(
        lambda s: over_trials(s, found), (numbers, numbers), _paired_neighbours(found, real) if exchangeable else ()
    )
    return level_of(found.policies, predicted, real, trials, exchangeable)


def _paired_neighbours(found: Shared, real: Sequence[Estimate]) -> tuple[float, ...]:
    ranked = sorted(zip(real, found.policies, strict=True), key=lambda pair: -(pair[0].value or 0.0))
    tests = [exact_mcnemar(paired(found.sides[1][a], found.sides[1][b])).value for (_, a), (_, b) in pairwise(ranked)]
    return tuple(float(p) for p in holm([p for p in tests if p is not None]))


def _of_task(found: Shared, of: Mapping[str, str], task: str) -> Shared:
    sides = [{p: _kept(cells, of, task) for p, cells in side.items()} for side in found.sides]
    return Shared(tuple({p: cells for p, cells in side.items() if cells} for side in sides), 0)


def _by_cell(found: Shared, of: Mapping[str, str]) -> Shared:
    """The same outcomes with (policy, task) in the place of policies."""
    sides = []
    for side in found.sides:
        cells = {f"{p} / {t}": _kept(own, of, t) for p, own in side.items() for t in dict.fromkeys(of.values())}
        sides.append({name: own for name, own in cells.items() if own})
    return Shared(tuple(sides), found.dropped)


def _kept(cells: Column[bool], of: Mapping[str, str], task: str) -> Column[bool]:
    return cells.kept(cells.grid.mask(lambda scene, edit: of.get(scene) == task))
