"""Is a prediction better than its control? The difference of their correlations with the truth, with an interval.

Scenes are drawn with replacement, the same ones for prediction, control and truth and for all policies, so what the three
share cancels. Like every interval over trials it is for these policies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core.estimate import Estimate
from reverie.evaluation.outcomes import Cell, Outcomes, View
from reverie.evaluation.rates import scored
from reverie.stats.correlation import MIN_POLICIES, pearson_values
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, resampled_totals, summarise, too_few

Array = NDArray[np.float64]
Side = Mapping[str, Mapping[Cell, bool]]


@dataclass(frozen=True)
class Gain:
    """`difference`: Pearson r of the prediction minus that of the control, over the policies that all three scored."""

    prediction: View
    control: View
    difference: Estimate


def gain(table: Outcomes, prediction: View, control: View, truth: View, resampling: Resampling = DEFAULT_RESAMPLING) -> Gain:  # fmt: skip
    sides = [{p: scored(c) for p, c in table.outcomes[view].items()} for view in (prediction, control, truth)]
    policies = [p for p in table.policies if all(side.get(p) for side in sides)]
    k, name = len(policies), "difference of Pearson r (prediction - control) over policies, bootstrap of shared scenes"
    if k < MIN_POLICIES:
        absent = Estimate.absent(k, name, resampling.level, too_few(k, MIN_POLICIES))
        return Gain(prediction, control, absent)
    counts = scene_counts(sides, policies)  # [S, 6K]
    drawn = resampled_totals(counts, resampling.draws, np.random.default_rng(resampling.seed))  # [D, 6K]
    observed = float(_difference(counts.sum(0), k))
    return Gain(prediction, control, summarise(observed, _difference(drawn, k), k, name, "percentile", resampling))


def scene_counts(sides: Sequence[Side], policies: Sequence[str]) -> Array:
    """[S, 6K]: by scene, successes of each policy on the three sides, then trials in the same order."""
    cells = [side[p] for side in sides for p in policies]  # 3K tables of outcomes
    index = {scene: i for i, scene in enumerate(sorted({cell[0] for c in cells for cell in c}))}
    counts = np.zeros((len(index), 2 * len(cells)))
    for column, outcomes in enumerate(cells):
        for cell, success in outcomes.items():
            counts[index[cell[0]], column] += success
            counts[index[cell[0]], len(cells) + column] += 1
    return counts


def _difference(totals: Array, k: int) -> Array:
    """[..., 6K] -> [...]; nan where a draw holds no trial of a policy or a side is constant."""
    won, tried = totals[..., : 3 * k], totals[..., 3 * k :]
    rates = np.divide(won, tried, out=np.full_like(won, np.nan), where=tried > 0)
    predicted, control, true = (rates[..., i * k : (i + 1) * k] for i in range(3))
    defined = np.asarray(np.isfinite(rates).all(-1))
    safe = [np.where(defined[..., None], side, 0.0) for side in (predicted, control, true)]
    difference = pearson_values(safe[0], safe[2]) - pearson_values(safe[1], safe[2])
    return np.asarray(np.where(defined, difference, np.nan))
