"""The mean or median of one number per unit (episode, take, person), with an expanded percentile bootstrap interval over the units."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import ttest_1samp

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray
from reverie.stats.pvalues import PValue
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, summarise

MIN_UNITS = 3
Reduce = Callable[[FloatArray], FloatArray]  # [..., N] -> [...]


def bootstrap_mean(values: Sequence[float], unit: str, resampling: Resampling = DEFAULT_RESAMPLING) -> Estimate:
    """nan stands for a unit that was not measured: it is left out of n. Below MIN_UNITS units there is no interval.

    A nominal 95 % covers 93 % to 95 % of normal means from 6 units on. It falls short for skewed values: of means of
    exponential ones it covers 89 % at 10 units, 92 % at 20, 95 % at 50 (`make bench-coverage`).
    """
    return _bootstrapped(values, f"mean over {unit}", unit, lambda x: x.mean(-1), resampling)


def bootstrap_median(values: Sequence[float], unit: str, resampling: Resampling = DEFAULT_RESAMPLING) -> Estimate:
    """As `bootstrap_mean`. A median's interval ends at measured values; with few units it is coarse."""
    return _bootstrapped(
        values, f"median over {unit}", unit, lambda x: np.asarray(np.median(x, axis=-1), np.float64), resampling
    )


def mean_above_zero(values: Sequence[float], unit: str) -> PValue:
    """Student's t-test that the mean of one number per unit is above 0, one-sided.

    Student (1908), Biometrika 6, 1-25; by scipy. Assumes means that are about normal: each unit's number should itself be a
    mean over many. Without any spread p is 1 at or below 0, and absent above it.
    """
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    n, method = len(found), f"one-sided t-test over {unit}"
    if n < MIN_UNITS:
        return PValue(None, n, method, "greater", f"{n} {unit}, expected at least {MIN_UNITS}")
    if np.ptp(found) <= 1e-9 * np.abs(found).max():
        return PValue(None if found[0] > 0 else 1.0, n, method, "greater", "no spread" if found[0] > 0 else None)
    return PValue(float(ttest_1samp(found, 0.0, alternative="greater").pvalue), n, method, "greater")


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
