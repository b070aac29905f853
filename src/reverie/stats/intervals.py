"""Intervals for one success rate, from counts.

Knows binomial counts only. What counts as a trial (and that errors and abstentions do not) is decided before.
"""

from typing import Any, Literal

from scipy.stats import binomtest

from reverie.core.estimate import Estimate
from reverie.stats.arguments import as_level, as_successes


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Wilson's score interval (Wilson 1927, JASA 22, 209-212; without continuity correction).

    Covers close to `level` on average over the rate, and .84 at worst at n = 10 and level .95.
    n = 0 gives an absent value. Raises ValueError for counts that are not integers, are negative, or successes > n.
    """
    return _binomial(successes, n, level, "wilson", "Wilson score")


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """The exact interval (Clopper & Pearson 1934, Biometrika 26, 404-413): covers at least `level` for every rate.

    n = 0 gives an absent value. Raises ValueError for counts that are not integers, are negative, or successes > n.
    """
    return _binomial(successes, n, level, "exact", "Clopper-Pearson")


def _binomial(successes: Any, n: Any, level: float, scipy_name: Literal["wilson", "exact"], name: str) -> Estimate:
    k, total = as_successes(successes, n)
    level = as_level(level)
    method = f"{name} over trials"
    if total == 0:
        return Estimate.absent(0, method, level, "no trials")
    limits = binomtest(k, total).proportion_ci(level, method=scipy_name)
    # At 0 and n successes the closed form leaves a rounding error of 1e-17 beside the exact limit.
    low = 0.0 if k == 0 else float(limits.low)
    high = 1.0 if k == total else float(limits.high)
    return Estimate(k / total, low, high, total, method, level)
