"""Intervals that may be looked at after every trial: confidence sequences for a rate and for the difference of two.

All are mixtures: under the true rates, the likelihood averaged over a uniform prior divided by the likelihood of the truth
is a martingale that begins at 1, so it ever reaches 1 / alpha with probability at most alpha (Ville 1939). The interval holds
what has not been excluded so: it covers at all times at once, and the trials may stop at any of them, for any reason.
The price is width: about 1.5 times the interval for a fixed n at 100 trials.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, gammaln, xlog1py, xlogy

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_level, as_successes
from reverie.stats.paired import PairedTable, constrained_second_only

HALVINGS = 48
"""Limits are found to 2^-48."""


def confidence_sequence(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Peeking-safe interval of a success rate: every p with B(k+1, n-k+1) / (p^k (1-p)^(n-k)) < 1 / (1 - level).

    Robbins (1970), Ann. Math. Stat. 41, 1397-1409, with a uniform mixture. n = 0 gives an absent value. Raises ValueError
    for counts that are not integers, are negative, or successes > n.
    """
    k, total = as_successes(successes, n)
    method = "Robbins beta-binomial confidence sequence over trials, peeking-safe"
    if total == 0:
        return Estimate.absent(0, method, as_level(level), "no trials")
    low, high = rate_limits(k, total, as_level(level))
    return Estimate(k / total, float(low), float(high), total, method, level)


def paired_difference_sequence(table: PairedTable, level: float = 0.95) -> Estimate:
    """Peeking-safe interval of the success rate of the first minus that of the second, over pairs.

    The mixture of `confidence_sequence` over (first only, second only, rest), Dirichlet(1, 1, 1), against the best
    likelihood with the given difference. `n` counts pairs; absent without any.
    """
    method = "difference of paired rates (first - second), Dirichlet confidence sequence over pairs, peeking-safe"
    if table.n == 0:
        return Estimate.absent(0, method, as_level(level), "no pairs")
    b, c, n = table.first_only, table.second_only, table.n
    low, high = paired_limits(b, c, n, as_level(level))
    return Estimate((b - c) / n, float(low), float(high), n, method, level)


def unpaired_difference_sequence(
    first_successes: int, first_n: int, second_successes: int, second_n: int, level: float = 0.95
) -> Estimate:
    """As `paired_difference_sequence` for two policies on different scenes, in any order: two independent uniform mixtures.

    `n` counts trials of both; absent where either has none. Raises ValueError as `confidence_sequence`.
    """
    k_1, n_1 = as_successes(first_successes, first_n, ("first_successes", "first_n"))
    k_2, n_2 = as_successes(second_successes, second_n, ("second_successes", "second_n"))
    method = "difference of unpaired rates (first - second), beta confidence sequence over trials, peeking-safe"
    if n_1 == 0 or n_2 == 0:
        return Estimate.absent(n_1 + n_2, method, as_level(level), "no trials on one side")
    low, high = unpaired_limits(k_1, n_1, k_2, n_2, as_level(level))
    return Estimate(k_1 / n_1 - k_2 / n_2, float(low), float(high), n_1 + n_2, method, level)


def rate_limits(successes: ArrayLike, n: ArrayLike, level: float) -> tuple[FloatArray, FloatArray]:
    """Limits for arrays of counts of one shape, n >= 1."""
    k, m = np.asarray(successes, np.float64), np.asarray(n, np.float64)
    mixture = betaln(k + 1, m - k + 1)
    return _limits(lambda p: mixture - xlogy(k, p) - xlog1py(m - k, -p), k / m, 0.0, 1.0, level)


def paired_limits(b: ArrayLike, c: ArrayLike, n: ArrayLike, level: float) -> tuple[FloatArray, FloatArray]:
    """Limits for arrays of first-only, second-only and all pairs of one shape, n >= 1."""
    one, two, m = (np.asarray(x, np.float64) for x in (b, c, n))
    rest = m - one - two
    mixture = gammaln(3) + gammaln(one + 1) + gammaln(two + 1) + gammaln(rest + 1) - gammaln(m + 3)

    def excess(d: FloatArray) -> FloatArray:
        q = np.clip(constrained_second_only(d, one, two, m), np.maximum(-d, 0), (1 - d) / 2)
        log_best = xlogy(one, q + d) + xlogy(two, q) + xlogy(rest, np.maximum(1 - 2 * q - d, 0))
        return np.asarray(mixture - log_best)

    return _limits(excess, (one - two) / m, -1.0, 1.0, level)


def unpaired_limits(
    first_successes: ArrayLike, first_n: ArrayLike, second_successes: ArrayLike, second_n: ArrayLike, level: float
) -> tuple[FloatArray, FloatArray]:
    """Limits for arrays of counts of one shape, n >= 1 on both sides."""
    k_1, n_1, k_2, n_2 = (np.asarray(x, np.float64) for x in (first_successes, first_n, second_successes, second_n))
    mixture = betaln(k_1 + 1, n_1 - k_1 + 1) + betaln(k_2 + 1, n_2 - k_2 + 1)

    def excess(d: FloatArray) -> FloatArray:
        p = _constrained_rate(d, k_1, n_1, k_2, n_2)
        first = xlogy(k_1, p + d) + xlog1py(n_1 - k_1, -np.minimum(p + d, 1))
        return np.asarray(mixture - first - xlogy(k_2, p) - xlog1py(n_2 - k_2, -p))

    return _limits(excess, k_1 / n_1 - k_2 / n_2, -1.0, 1.0, level)


def _constrained_rate(d: FloatArray, k_1: FloatArray, n_1: FloatArray, k_2: FloatArray, n_2: FloatArray) -> FloatArray:
    """The second rate that is likeliest where the first is larger by d: the log-likelihood's slope falls through 0 there."""
    low, high = np.maximum(-d, 0.0) + np.zeros_like(k_1), np.minimum(1 - d, 1.0) + np.zeros_like(k_1)
    for _ in range(HALVINGS):
        p = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = _over(k_1, p + d) - _over(n_1 - k_1, 1 - p - d) + _over(k_2, p) - _over(n_2 - k_2, 1 - p)
        low, high = np.where(slope > 0, p, low), np.where(slope > 0, high, p)
    return np.asarray((low + high) / 2)


def _over(count: FloatArray, probability: FloatArray) -> FloatArray:
    return np.where(count == 0, 0.0, count / np.maximum(probability, 1e-300))


def _limits(
    excess: Callable[[FloatArray], FloatArray], seen: FloatArray, lowest: float, highest: float, level: float
) -> tuple[FloatArray, FloatArray]:
    """Where log (mixture / likelihood), which is convex with its minimum at `seen`, reaches log 1 / (1 - level)."""
    bound = -np.log1p(-level)
    return _reached(excess, seen, lowest, bound), _reached(excess, seen, highest, bound)


def _reached(excess: Callable[[FloatArray], FloatArray], seen: FloatArray, end: float, bound: float) -> FloatArray:
    """Between `seen` and `end`, the last point outside; `end` where nothing is."""
    inside, outside = seen, np.full_like(seen, end)
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        kept = excess(middle) < bound
        inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
    return np.asarray(outside)
