"""What would a perfect prediction have scored, with this many trials? The floor that trial noise alone sets.

Knows true rates and trial numbers only. Trials are independent here; shared scenes make the two sides agree more.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_count, as_rates
from reverie.stats.ranking import SIMPLER, MmrvConvention, mmrv_statistic
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, Statistic, too_few

TrialNumbers: TypeAlias = int | Sequence[int]
"""One for all K policies, or one each."""


def simulate_rates(
    true_rates: ArrayLike, n_predicted: TrialNumbers, n_real: TrialNumbers, draws: int = 10_000, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Observed rates ([D, K] predicted, [D, K] real) of K policies whose true rates are the same on both sides."""
    rates = as_rates("true_rates", true_rates)
    n_first, n_second = _numbers("n_predicted", n_predicted, len(rates)), _numbers("n_real", n_real, len(rates))
    size = (as_count("draws", draws, minimum=1), len(rates))
    rng = np.random.default_rng(as_count("seed", seed))
    return rng.binomial(n_first, rates, size=size) / n_first, rng.binomial(n_second, rates, size=size) / n_second


def _numbers(name: str, numbers: TrialNumbers, k: int) -> NDArray[np.int64]:
    """[K] trial numbers of at least 1, from one for all or one each."""
    found = numbers if isinstance(numbers, Sequence) else [numbers] * k
    if len(found) != k:
        raise ValueError(f"{name}: found {len(found)} numbers for {k} rates, expected one for all or one each")
    checked = [as_count(name, n, minimum=1) for n in found] if k else [as_count(name, numbers, minimum=1)][:0]
    return np.array(checked, dtype=np.int64)


def _span(numbers: TrialNumbers) -> str:
    """ "10", or "10 to 40"."""
    if not isinstance(numbers, Sequence):
        return str(numbers)
    return str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def expected_from_noise(
    statistic: Statistic,
    true_rates: ArrayLike,
    n_predicted: TrialNumbers,
    n_real: TrialNumbers,
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
        f"{statistic.name} over policies, expected from trial noise alone ({_span(n_predicted)} predicted and {_span(n_real)} real "
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
    n_predicted: TrialNumbers,
    n_real: TrialNumbers,
    convention: MmrvConvention = SIMPLER,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Estimate:
    """The MMRV of a perfect prediction, from trial noise alone; see `expected_from_noise`."""
    return expected_from_noise(mmrv_statistic(convention), true_rates, n_predicted, n_real, resampling)
