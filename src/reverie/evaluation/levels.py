"""One level of a comparison of real with predicted rates: policies, one task, or cells. Never two of them at once.

What the units are and where their trials come from is decided by `validity`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, get_args

import numpy as np

from reverie.core.estimate import Estimate
from reverie.evaluation.comparison import LEVEL, Correlation
from reverie.stats import (
    BIAS,
    CORRELATIONS,
    Choice,
    CorrelationKind,
    MmrvConvention,
    PValue,
    Statistic,
    bias,
    choice,
    correlation,
    drop_one_range,
    expected_from_noise,
    mmrv,
    mmrv_from_noise,
    mmrv_statistic,
    permutation_p,
)
from reverie.stats.ranking import Gap, Ties

SLOW_DRAWS = 10_000
"""Of the permutation of a statistic that compares every two units."""
NO_N = "the table gives no n"


@dataclass(frozen=True)
class Trials:
    """What is known of the trials behind the rates of K units. bootstrap: a statistic over them, drawn anew. numbers:
    predicted and real trials of each; real_neighbours: Holm-adjusted p of neighbours in the real ranking."""

    bootstrap: Callable[[Statistic], Estimate]
    numbers: tuple[Sequence[int], Sequence[int]]
    real_neighbours: tuple[float, ...]


@dataclass(frozen=True)
class Level:
    """Rates of `units` (policies or cells), and what they say. *_from_noise: what a perfect prediction would score with
    these trial numbers. conventions: MMRV by every convention's name. neighbours: tests of real neighbours in the
    ranking, Holm over them."""

    units: tuple[str, ...]
    predicted: tuple[Estimate, ...]
    real: tuple[Estimate, ...]
    pearson: Correlation
    spearman: Correlation
    kendall: Correlation
    mmrv: Estimate
    mmrv_over_trials: Estimate
    mmrv_from_noise: Estimate
    pearson_from_noise: Estimate
    conventions: Mapping[str, float]
    bias: Estimate
    bias_over_trials: Estimate
    choice: Choice
    neighbours: tuple[float, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name, and beside them how each was computed."""
        return {
            "n": len(self.units),
            "pearson": self.pearson.over_policies.value,
            "spearman": self.spearman.over_policies.value,
            "kendall": self.kendall.over_policies.value,
            "mmrv": self.mmrv.value,
            "bias": self.bias.value,
            "regret": self.choice.regret,
            "top_one": self.choice.top_one,
            "detail": asdict(self),
        }


def level_of(
    units: Sequence[str],
    predicted: Sequence[Estimate],
    real: Sequence[Estimate],
    trials: Trials | None,
    exchangeable: bool = True,
) -> Level:
    """`trials` is None where no n is known. Units that are no exchangeable sample (cells) have no permutation p."""

    def drawn(statistic: Statistic) -> Estimate:
        return trials.bootstrap(statistic) if trials else _without_n(statistic.name, len(units))

    n = trials.numbers if trials and units else None
    x, y = ([e.value for e in side if e.value is not None] for side in (predicted, real))
    return Level(
        tuple(units),
        tuple(predicted),
        tuple(real),
        _correlation("pearson", x, y, drawn, exchangeable),
        _correlation("spearman", x, y, drawn, exchangeable),
        _correlation("kendall", x, y, drawn, exchangeable),
        mmrv(x, y),
        drawn(mmrv_statistic()),
        mmrv_from_noise(y, *n) if n else _without_n("MMRV", len(x)),
        expected_from_noise(CORRELATIONS["pearson"], y, *n) if n else _without_n("Pearson r", len(x)),
        _conventions(x, y),
        bias(x, y),
        drawn(BIAS),
        choice(x, y),
        trials.real_neighbours if trials else None,
    )


def _correlation(
    kind: CorrelationKind,
    x: Sequence[float],
    y: Sequence[float],
    drawn: Callable[[Statistic], Estimate],
    exchangeable: bool,
) -> Correlation:
    p = PValue(None, len(x), "permutation of cells", "greater", "cells are not independent")
    return Correlation(
        correlation(x, y, kind),
        drawn(CORRELATIONS[kind]),
        drop_one_range(x, y, kind),
        permutation_p(x, y, kind, draws=SLOW_DRAWS if kind == "kendall" else 100_000) if exchangeable else p,
    )


def _conventions(x: Sequence[float], y: Sequence[float]) -> dict[str, float]:
    known = (MmrvConvention(ties, gap) for gap, ties in product(get_args(Gap), get_args(Ties)))
    found = {c.name: mmrv(x, y, c).value for c in known}
    return {name: value for name, value in found.items() if value is not None}


def _without_n(name: str, k: int) -> Estimate:
    return Estimate.absent(k, f"{name} over trials", LEVEL, NO_N)


def within_tasks(predicted: Sequence[float], real: Sequence[float], tasks: Sequence[str]) -> Estimate:
    """Pearson of [C] cells with the mean of their task taken off both sides: what is left of a pooled correlation once
    tasks that are easy for all policies no longer make it. No interval: cells are not independent."""
    method = "Pearson r of cells within tasks"
    x, y = np.asarray(predicted, np.float64), np.asarray(real, np.float64)
    for task in dict.fromkeys(tasks):
        inside = np.array([t == task for t in tasks])
        x[inside], y[inside] = x[inside] - x[inside].mean(), y[inside] - y[inside].mean()
    found = correlation(x, y)
    if found.value is None:
        return Estimate.absent(len(x), method, LEVEL, found.reason or "")
    return Estimate(found.value, None, None, len(x), method, LEVEL, "no interval: cells are not independent")
