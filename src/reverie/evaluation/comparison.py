"""Does one view predict another? Rates against rates over policies, and outcome against outcome over episodes.

Only policies and episodes that both views scored are compared; what only one of them scored is counted as dropped. What
cannot be computed is absent, with its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median_low
from typing import Literal

from reverie.core.estimate import Estimate
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.corrections import bias_corrected
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Shared, shared, success_rate
from reverie.evaluation.resolve import looks
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


@dataclass(frozen=True)
class Correlation:
    """Over policies: Fisher interval, interval from resampling trials, range with one policy left out, permutation p."""

    over_policies: Estimate
    over_trials: Estimate
    drop_one: DropOneRange
    p: PValue


@dataclass(frozen=True)
class Comparison:
    """One view against the truth. predicted, true: success rates of `policies`, in their order, over the same episodes;
    `dropped` counts those that only one of the two scored.

    bias_corrected: with predicted rates corrected for their judge's errors; None where it does not know them. Nothing else here
    would change.
    looking: the same over the policies that look at frames, where others stand among them.
    """

    view: View
    truth: View
    role: Role
    policies: tuple[str, ...]
    predicted: tuple[Estimate, ...]
    true: tuple[Estimate, ...]
    dropped: int
    pearson: Correlation
    spearman: Correlation
    mmrv: Estimate
    mmrv_over_trials: Estimate
    mmrv_from_noise: Estimate
    bias: Estimate
    bias_corrected: Estimate | None
    choice: Choice
    agreement: Agreement
    looking: "Comparison | None" = None


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


def compare(table: Outcomes, view: View, truth: View) -> Comparison:
    role = role_of(table, view, truth)
    whole = _compared(table, table.policies, view, truth, role)
    blind = open_loop(table.plan)
    looking = [p for p in whole.policies if p not in blind]
    if role not in ("prediction", "control") or not 0 < len(looking) < len(whole.policies):
        return whole
    return replace(whole, looking=_compared(table, looking, view, truth, role))


def open_loop(plan: Plan) -> frozenset[str]:
    """Names of the policies that look at no frame: their commands are the same in every world, so that their prediction
    is a replay."""
    return frozenset(p.name for p in plan.policies if not looks(p.spec)) | {s.name for s in plan.replayed_only}


def _compared(table: Outcomes, policies: Sequence[str], view: View, truth: View, role: Role) -> Comparison:
    found = shared(table, (view, truth), policies)
    predicted, true = (tuple(success_rate(cells) for cells in side.values()) for side in found.sides)
    rates, true_rates = _values(predicted), _values(true)
    return Comparison(
        view,
        truth,
        role,
        found.policies,
        predicted,
        true,
        found.dropped,
        _correlation("pearson", found, rates, true_rates),
        _correlation("spearman", found, rates, true_rates),
        mmrv(rates, true_rates),
        over_trials(mmrv_statistic(), found),
        _noise_floor(true),
        bias(rates, true_rates),
        bias_corrected(table, view, truth, rates, true_rates),
        choice(rates, true_rates),
        _agreement(found),
    )


def _values(rates: Iterable[Estimate]) -> list[float]:
    return [r.value for r in rates if r.value is not None]  # none is absent: every policy has an episode


def _correlation(kind: CorrelationKind, found: Shared, rates: list[float], true_rates: list[float]) -> Correlation:
    return Correlation(
        correlation(rates, true_rates, kind),
        over_trials(CORRELATIONS[kind], found),
        drop_one_range(rates, true_rates, kind),
        permutation_p(rates, true_rates, kind),
    )


def over_trials(statistic: Statistic, found: Shared) -> Estimate:
    """Scenes are shared by all policies and both sides, so whole scenes are drawn."""
    if not found.policies:
        return Estimate.absent(0, statistic.name, LEVEL, NOBODY)
    predicted, true = ([[*cells.values()] for cells in side.values()] for side in found.sides)
    scenes = [[scene for scene, *_ in cells] for cells in found.sides[0].values()]
    return trial_bootstrap(statistic, predicted, true, scenes, scenes)


def _noise_floor(true: Sequence[Estimate]) -> Estimate:
    if not true:
        return Estimate.absent(0, "MMRV expected from trial noise", LEVEL, NOBODY)
    n = median_low([rate.n for rate in true])
    return mmrv_from_noise(_values(true), n, n)


def _agreement(found: Shared) -> Agreement:
    predicted, true = ([o for cells in side.values() for o in cells.values()] for side in found.sides)
    names = [policy for policy, cells in found.sides[0].items() for _ in cells]
    return agreement(predicted, true, names)
