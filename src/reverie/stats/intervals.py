"""Intervals for one success rate, from counts, for a number of trials fixed beforehand (else see `sequences`).

Knows binomial counts only. What counts as a trial (and that errors and abstentions do not) is decided before.
"""

from collections.abc import Callable
from typing import Any

from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from reverie.core.estimate import Estimate
from reverie.stats.arguments import as_level, as_successes

Limits = tuple[float, float]


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Wilson's score interval (Wilson 1927, JASA 22, 209-212; without continuity correction).

    Covers close to `level` on average over the rate, and .84 at worst at n = 10 and level .95.
    n = 0 gives an absent value. Raises ValueError for counts that are not integers, are negative, or successes > n.
    """
    return _binomial(successes, n, level, "Wilson score", lambda k, m: binomtest(k, m).proportion_ci(level, "wilson"))


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """The exact interval (Clopper & Pearson 1934, Biometrika 26, 404-413): covers at least `level` for every rate.

    n = 0 gives an absent value. Raises ValueError for counts that are not integers, are negative, or successes > n.
    """
    return _binomial(successes, n, level, "Clopper-Pearson", lambda k, m: binomtest(k, m).proportion_ci(level, "exact"))


def jeffreys(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Equal tails of Beta(k + 1/2, n - k + 1/2), but 0 below no and 1 above only successes.

    Brown, Cai & DasGupta (2001), Stat. Sci. 16, 101-133, sec. 3.1.3, by statsmodels. Covers close to `level` on average
    over the rate, less at single rates. n = 0 gives an absent value. Raises ValueError as `wilson`.
    """
    return _binomial(
        successes, n, level, "Jeffreys", lambda k, m: proportion_confint(k, m, 1 - level, method="jeffreys")
    )


def _binomial(successes: Any, n: Any, level: float, name: str, limits: Callable[[int, int], Limits]) -> Estimate:
    k, total = as_successes(successes, n)
    level = as_level(level)
    method = f"{name} over trials"
    if total == 0:
        return Estimate.absent(0, method, level, "no trials")
    low, high = limits(k, total)
    # At 0 and n successes the closed form leaves a rounding error of 1e-17 beside the exact limit.
    return Estimate(k / total, 0.0 if k == 0 else float(low), 1.0 if k == total else float(high), total, method, level)
