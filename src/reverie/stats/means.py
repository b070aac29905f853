"""The mean or median of one number per unit (episode, take, person), with an expanded percentile bootstrap interval over the units."""

from collections.abc import Callable, Sequence

import numpy as np

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, summarise

MIN_UNITS = 3
Reduce = Callable[[FloatArray], FloatArray]  # [..., N] -> [...]


def bootstrap_mean(values: Sequence[float], unit: str, resampling: Resampling = DEFAULT_RESAMPLING) -> Estimate:
    """nan stands for a unit that was not measured: it is left out of n. Below MIN_UNITS units there is no interval.

    A nominal 95 % covers 93 % to 95 % of normal means from 6 units on; of skewed ones (exponential) 89 % at 10 units, 92 % at
    20, 95 % at 50.
    """
    return _bootstrapped(values, f"mean over {unit}", unit, lambda x: x.mean(-1), resampling)


def bootstrap_median(values: Sequence[float], unit: str, resampling: Resampling = DEFAULT_RESAMPLING) -> Estimate:
    """As `bootstrap_mean`. A median's interval ends at measured values; with few units it is coarse."""
    return _bootstrapped(
        values, f"median over {unit}", unit, lambda x: np.asarray(np.median(x, axis=-1), np.float64), resampling
    )


def _bootstrapped(values: Sequence[float], method: str, unit: str, reduce: Reduce, resampling: Resampling) -> Estimate:
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    n = len(found)
    if n == 0:
        return Estimate.absent(0, method, resampling.level, f"measured in none of the {unit}")
    observed = float(reduce(found))
    if n < MIN_UNITS:
        reason = f"no interval: {n} {unit}, expected at least {MIN_UNITS}"
        return Estimate(observed, None, None, n, method, resampling.level, reason)
    draws = np.random.default_rng(resampling.seed).integers(0, n, (resampling.draws, n))
    return summarise(observed, reduce(found[draws]), n, f"{method}, bootstrap", "expanded", resampling)
