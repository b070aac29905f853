"""What would a perfect prediction have scored, with this many trials? The floor that trial noise alone sets.

Knows true rates and trial numbers only. Trials are independent here; shared scenes make the two sides agree more.
"""

import numpy as np
from numpy.typing import ArrayLike

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_count, as_rates
from reverie.stats.ranking import SIMPLER, MmrvConvention, mmrv_statistic
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, Statistic, too_few


def simulate_rates(
    true_rates: ArrayLike, n_predicted: int, n_real: int, draws: int = 10_000, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Observed rates ([D, K] predicted, [D, K] real) of K policies whose true rates are the same on both sides."""
    rates = as_rates("true_rates", true_rates)
    n_first, n_second = as_count("n_predicted", n_predicted, minimum=1), as_count("n_real", n_real, minimum=1)
    size = (as_count("draws", draws, minimum=1), len(rates))
    rng = np.random.default_rng(as_count("seed", seed))
    return rng.binomial(n_first, rates, size=size) / n_first, rng.binomial(n_second, rates, size=size) / n_second


def expected_from_noise(
    statistic: Statistic,
    true_rates: ArrayLike,
    n_predicted: int,
    n_real: int,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Estimate:
    """Mean of a statistic under a perfect prediction, by simulation; the limits are its central `level` quantiles.

    They bound where a perfect prediction falls, not the mean. True rates are unknown in practice: observed ones are
    spread too widely (they hold noise themselves), which makes the floor slightly too low. `n` is K.
    Absent below the policies that the statistic needs and where it is undefined in every draw; undefined draws are
    counted in `method`. Raises ValueError for rates outside [0, 1] or trial numbers below 1.
    """
    first, second = simulate_rates(true_rates, n_predicted, n_real, resampling.draws, resampling.seed)
    k = first.shape[-1]
    method = (
        f"{statistic.name} over policies, expected from trial noise alone ({n_predicted} predicted and {n_real} real "
        f"trials each), mean and quantiles of {resampling.draws} simulations, seed {resampling.seed}"
    )
    if k < statistic.min_policies:
        return Estimate.absent(k, method, resampling.level, too_few(k, statistic.min_policies))
    values = statistic.values(first, second)  # [D]
    missing = int(np.isnan(values).sum())
    if missing == len(values):
        return Estimate.absent(k, method, resampling.level, "undefined in every simulation (a side is constant)")
    if missing:
        method += f", {missing} undefined left out"
    defined = values[~np.isnan(values)]
    low, high = np.quantile(defined, [(1 - resampling.level) / 2, (1 + resampling.level) / 2])
    return Estimate(float(defined.mean()), float(low), float(high), k, method, resampling.level)


def mmrv_from_noise(
    true_rates: ArrayLike,
    n_predicted: int,
    n_real: int,
    convention: MmrvConvention = SIMPLER,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Estimate:
    """The MMRV of a perfect prediction, from trial noise alone; see `expected_from_noise`."""
    return expected_from_noise(mmrv_statistic(convention), true_rates, n_predicted, n_real, resampling)
