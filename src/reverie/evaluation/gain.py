"""Is a prediction better than its control? The difference of their correlations with the truth, with an interval.

Over the episodes that all three scored. Scenes are drawn with replacement, the same ones for prediction, control and truth
and for all policies, so what the three share cancels. Like every interval over trials it is for these policies.
"""

from dataclasses import dataclass

import numpy as np

from reverie.core.estimate import Estimate
from reverie.evaluation.comparison import open_loop
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.rates import Shared, shared
from reverie.stats.arguments import FloatArray
from reverie.stats.correlation import MIN_POLICIES, pearson_values
from reverie.stats.resampling import (
    DEFAULT_RESAMPLING,
    Resampling,
    resampled_totals,
    scene_tables,
    summarise,
    too_few,
)

NAME = "difference of Pearson r (prediction - control) over policies, bootstrap of shared scenes"


@dataclass(frozen=True)
class Gain:
    """`difference`: Pearson r of the prediction minus that of the control, over the policies that all three scored;
    `looking`: over those of them that look at frames. `dropped` counts episodes that only some of the three scored."""

    prediction: View
    control: View
    difference: Estimate
    looking: Estimate
    dropped: int


def gain(table: Outcomes, prediction: View, control: View, truth: View, resampling: Resampling = DEFAULT_RESAMPLING) -> Gain:  # fmt: skip
    views, blind = (prediction, control, truth), open_loop(table.plan)
    every = shared(table, views, table.policies)
    looking = shared(table, views, [p for p in table.policies if p not in blind])
    return Gain(prediction, control, difference(every, resampling), difference(looking, resampling), every.dropped)


def difference(found: Shared, resampling: Resampling) -> Estimate:
    """r(prediction, truth) - r(control, truth) of the three sides of `found`."""
    k = len(found.policies)
    if k < MIN_POLICIES:
        return Estimate.absent(k, NAME, resampling.level, too_few(k, MIN_POLICIES))
    columns = [cells for side in found.sides for cells in side.values()]  # 3K
    tables = scene_tables([[scene for scene, *_ in c] for c in columns], [np.array([*c.values()], float) for c in columns])  # fmt: skip
    counts = np.concatenate(tables, axis=1)  # [S, 6K]
    drawn = resampled_totals(counts, resampling.draws, np.random.default_rng(resampling.seed))  # [D, 6K]
    observed = float(_values(counts.sum(0), k))
    return summarise(observed, _values(drawn, k), k, NAME, "percentile", resampling)


def _values(totals: FloatArray, k: int) -> FloatArray:
    """[..., 6K] -> [...]; nan where a draw holds no trial of a policy or a side is constant."""
    won, tried = totals[..., : 3 * k], totals[..., 3 * k :]
    rates = np.divide(won, tried, out=np.full_like(won, np.nan), where=tried > 0)
    predicted, control, true = (rates[..., i * k : (i + 1) * k] for i in range(3))
    defined = np.asarray(np.isfinite(rates).all(-1))
    safe = [np.where(defined[..., None], side, 0.0) for side in (predicted, control, true)]
    gained = pearson_values(safe[0], safe[2]) - pearson_values(safe[1], safe[2])
    return np.asarray(np.where(defined, gained, np.nan))
