"""How many trials are needed to see a difference, and how likely so many are to show it.

For tests at a number of trials fixed beforehand, two-sided. Rates are what one expects, not what was seen: power computed
from the very trials that were tested says nothing that their p-value did not.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from reverie.stats.arguments import FloatArray, as_count, as_rates

ALPHA = 0.05
POWER = 0.8
MOST = 8192
"""No larger sample is looked for: a difference that needs more is none that simulation should chase."""


def paired_power(first_only: float, second_only: float, n: int, alpha: float = ALPHA) -> float:
    """Chance that the exact McNemar test on n pairs rejects, by enumeration.

    first_only, second_only: probabilities of the two kinds of discordant pairs; their difference is that of the rates.
    """
    b, c = _discordant(first_only, second_only)
    return _paired_power(_rejects(b, c, as_count("n", n), alpha), b + c, n)


@lru_cache(maxsize=4096)
def paired_sample_size(first_only: float, second_only: float, power: float = POWER, alpha: float = ALPHA) -> int | None:
    """Pairs from which on `paired_power` stays at or above `power` (up to the next power of two); None above MOST pairs
    and where both probabilities are equal: nothing is to be found. Arguments as `paired_power`."""
    b, c = _discordant(first_only, second_only)
    if b == c:
        return None
    enough = 8
    while paired_power(b, c, enough, alpha) < power:
        enough *= 2
        if enough > MOST:
            return None
    rejects = _rejects(b, c, enough, alpha)
    n = enough
    while n > 1 and _paired_power(rejects, b + c, n - 1) >= power:
        n -= 1
    return n


def unpaired_power(first: float, second: float, n: int, alpha: float = ALPHA) -> float:
    """Chance that Boschloo's test on n trials of either policy rejects, by enumeration; first and second are their rates.

    Two-sided is twice the smaller tail. The common rate is searched on 512 points. Grows with n^2: seconds at n = 300.
    """
    p, q = as_rates("first, second", [first, second])
    as_count("n", n, minimum=1)
    better = _boschloo_region(n, alpha / 2)  # [n + 1, n + 1]
    chance = np.outer(binom.pmf(np.arange(n + 1), n, p), binom.pmf(np.arange(n + 1), n, q))
    return float(chance[better].sum() + chance[better.T].sum())


def unpaired_sample_size(first: float, second: float, power: float = POWER, alpha: float = ALPHA) -> int | None:
    """Trials of either policy, by the arcsine approximation (Cohen 1988, ch. 6, by statsmodels).

    Exact tests need a few more: see `unpaired_power`. None where the rates are equal or more than MOST are needed.
    """
    p, q = as_rates("first, second", [first, second])
    effect = abs(float(proportion_effectsize(p, q)))
    if effect == 0:
        return None
    n = NormalIndPower().solve_power(effect, alpha=alpha, power=power, alternative="two-sided")
    found = int(np.ceil(float(np.ravel(n)[0])))
    return found if found <= MOST else None


def _discordant(first_only: float, second_only: float) -> tuple[float, float]:
    b, c = as_rates("first_only, second_only", [first_only, second_only])
    if b + c > 1:
        raise ValueError(f"first_only, second_only: found {b} and {c}, expected a sum of at most 1")
    return float(b), float(c)


def _rejects(b: float, c: float, most: int, alpha: float) -> FloatArray:
    """Chance of rejection with 0 to `most` discordant pairs: both tails beyond the largest k with a tail of <= alpha / 2."""
    m = np.arange(most + 1)
    k = binom.ppf(alpha / 2, m, 0.5)
    k -= binom.cdf(k, m, 0.5) > alpha / 2
    share = b / (b + c) if b + c > 0 else 0.5
    return np.where(k < 0, 0.0, binom.cdf(k, m, share) + binom.sf(m - k - 1, m, share))


def _paired_power(rejects: FloatArray, discordant: float, n: int) -> float:
    return float(binom.pmf(np.arange(n + 1), n, discordant) @ rejects[: n + 1])


def _boschloo_region(n: int, alpha: float) -> NDArray[np.bool_]:
    """[first successes, second successes] that reject one-sided: tables by Fisher's p, as many as fit under every rate."""
    first, second = (x.ravel() for x in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    fisher = np.round(hypergeom.sf(first - 1, 2 * n, first + second, n), 12)
    order = np.argsort(fisher, kind="stable")
    last = np.searchsorted(fisher[order], fisher[order], side="right") - 1  # tables of equal p stand or fall together
    size = np.zeros(len(order))
    for rate in np.linspace(0, 0.5, 257)[1:]:  # the region is symmetric in success and failure
        pmf = binom.pmf(np.arange(n + 1), n, rate)
        for chance in (pmf, pmf[::-1]):
            size = np.maximum(size, np.cumsum(chance[first[order]] * chance[second[order]]))
    region = np.zeros((n + 1, n + 1), dtype=bool)
    region[first[order], second[order]] = size[last] <= alpha
    return region
