"""Does one view predict another? Rates against rates over policies, and outcome against outcome over episodes.

Only policies and episodes that both views scored are compared. What cannot be computed is absent, with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low
from typing import Literal

from reverie.core.estimate import Estimate
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.outcomes import Cell, Outcomes, View
from reverie.evaluation.rates import scored
from reverie.stats import (
    CORRELATIONS,
    Agreement,
    Choice,
    CorrelationKind,
    DropOneRange,
    PValue,
    Statistic,
    agreement,
    bias,
    choice,
    correlation,
    drop_one_range,
    mmrv,
    mmrv_from_noise,
    mmrv_statistic,
    permutation_p,
    trial_bootstrap,
)

Role = Literal["prediction", "control", "replay bound", "judge alone"]
LEVEL = 0.95
NOBODY = "no policy was scored in both views"
Scored = Mapping[str, Mapping[Cell, bool]]


@dataclass(frozen=True)
class Correlation:
    """Over policies: Fisher interval, interval from resampling trials, range with one policy left out, permutation p."""

    over_policies: Estimate
    over_trials: Estimate
    drop_one: DropOneRange
    p: PValue


@dataclass(frozen=True)
class Comparison:
    """One view against the truth. predicted, true: success rates of `policies`, in their order."""

    view: View
    truth: View
    role: Role
    policies: tuple[str, ...]
    predicted: tuple[float, ...]
    true: tuple[float, ...]
    pearson: Correlation
    spearman: Correlation
    mmrv: Estimate
    mmrv_over_trials: Estimate
    mmrv_from_noise: Estimate
    bias: Estimate
    choice: Choice
    agreement: Agreement


def comparisons(table: Outcomes) -> list[Comparison]:
    """Every view that scored anything, against the truth; absent without a truth."""
    truth = table.truth
    if truth is None or truth not in table.outcomes:
        return []
    views = [v for v in table.outcomes if v != truth]
    found = [compare(table, view, truth) for view in views]
    return [c for c in found if c.policies]


def role_of(table: Outcomes, view: View, truth: View) -> Role:
    if view.judge.split("@")[0] in table.plan.controls:
        return "control"
    if view.world == truth.world:
        return "judge alone"
    return "replay bound" if view.world.endswith(REPLAY) else "prediction"


@dataclass(frozen=True)
class _Sides:
    """Outcomes and rates of the same policies in the same order, predicted and true."""

    predicted: Scored
    true: Scored
    rates: tuple[float, ...]
    true_rates: tuple[float, ...]


def compare(table: Outcomes, view: View, truth: View) -> Comparison:
    sides = _sides(table, view, truth)
    return Comparison(
        view,
        truth,
        role_of(table, view, truth),
        tuple(sides.predicted),
        sides.rates,
        sides.true_rates,
        _correlation("pearson", sides),
        _correlation("spearman", sides),
        mmrv(sides.rates, sides.true_rates),
        _over_trials(mmrv_statistic(), sides),
        _noise_floor(sides),
        bias(sides.rates, sides.true_rates),
        choice(sides.rates, sides.true_rates),
        _agreement(sides),
    )


def _sides(table: Outcomes, view: View, truth: View) -> _Sides:
    """The policies that both views scored, in the plan's order."""
    predicted, true = ({p: scored(c) for p, c in table.outcomes[v].items()} for v in (view, truth))
    policies = [p for p in table.policies if predicted.get(p) and true.get(p)]
    first, second = {p: predicted[p] for p in policies}, {p: true[p] for p in policies}
    return _Sides(first, second, _success_rates(first), _success_rates(second))


def _success_rates(side: Scored) -> tuple[float, ...]:
    return tuple(sum(cells.values()) / len(cells) for cells in side.values())


def _correlation(kind: CorrelationKind, sides: _Sides) -> Correlation:
    return Correlation(
        correlation(sides.rates, sides.true_rates, kind),
        _over_trials(CORRELATIONS[kind], sides),
        drop_one_range(sides.rates, sides.true_rates, kind),
        permutation_p(sides.rates, sides.true_rates, kind),
    )


def _over_trials(statistic: Statistic, sides: _Sides) -> Estimate:
    """Scenes are shared by all policies and both sides, so whole scenes are drawn."""
    if not sides.rates:
        return Estimate.absent(0, statistic.name, LEVEL, NOBODY)
    predicted, true = ([[*c.values()] for c in side.values()] for side in (sides.predicted, sides.true))
    of_predicted, of_true = ([[cell[0] for cell in c] for c in side.values()] for side in (sides.predicted, sides.true))
    return trial_bootstrap(statistic, predicted, true, of_predicted, of_true)


def _noise_floor(sides: _Sides) -> Estimate:
    if not sides.rates:
        return Estimate.absent(0, "MMRV expected from trial noise", LEVEL, NOBODY)
    n_predicted, n_true = (median_low([len(c) for c in side.values()]) for side in (sides.predicted, sides.true))
    return mmrv_from_noise(sides.true_rates, n_predicted, n_true)


def _agreement(sides: _Sides) -> Agreement:
    """Over the episodes of the same policy and cell that both views scored."""
    pairs = [
        (policy, cells[cell], sides.true[policy][cell])
        for policy, cells in sides.predicted.items()
        for cell in sorted(cells.keys() & sides.true[policy].keys())
    ]
    return agreement([a for _, a, _ in pairs], [b for *_, b in pairs], [p for p, _, _ in pairs])
