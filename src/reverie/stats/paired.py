"""Two policies on the same scenes: exact McNemar, and the difference of their success rates.

Pairs are (scene, replicate) that both ran. A pair of which either trial has no outcome is no pair; drop it before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_count, as_level, as_outcome_pairs, check_choice
from reverie.stats.pvalues import ALTERNATIVES, Alternative, PValue


@dataclass(frozen=True)
class PairedTable:
    """How N pairs of outcomes fell: both succeeded, only the first, only the second, neither."""

    both: int
    first_only: int
    second_only: int
    neither: int

    def __post_init__(self) -> None:
        for name in ("both", "first_only", "second_only", "neither"):
            as_count(name, getattr(self, name))

    @property
    def n(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither


def paired_table(first: ArrayLike, second: ArrayLike) -> PairedTable:
    """Count pairs of 0/1 outcomes, [N] and [N]. Raises ValueError for other values or unequal lengths."""
    one, two = as_outcome_pairs(first, second, ("first", "second"))
    won, lost = int(np.sum(one > two)), int(np.sum(one < two))
    both = int(np.sum((one == 1) & (two == 1)))
    return PairedTable(both, won, lost, len(one) - won - lost - both)


def exact_mcnemar(table: PairedTable, alternative: Alternative = "two-sided") -> PValue:
    """Exact McNemar test that both succeed equally often: a binomial test of 1/2 on the discordant pairs.

    McNemar (1947), Psychometrika 12, 153-157, conditional exact version; two-sided is twice the smaller tail.
    `greater`: the first is better. Without a discordant pair p is 1; without a pair it is absent. `n` counts pairs.
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    discordant = table.first_only + table.second_only
    method = f"exact McNemar, {table.first_only} against {table.second_only} discordant pairs"
    if table.n == 0:
        return PValue(None, 0, method, alternative, "no pairs")
    if discordant == 0:
        return PValue(1.0, table.n, method, alternative)
    p = binomtest(table.first_only, discordant, 0.5, alternative=alternative).pvalue
    return PValue(float(p), table.n, method, alternative)


def paired_difference(table: PairedTable, level: float = 0.95) -> Estimate:
    """Success rate of the first minus that of the second over N pairs, with Tango's score interval.

    Tango (1998), Stat. Med. 17, 891-908: the limits are the differences d at which
    (b - c - N d) / sqrt(N (2 q + d (1 - d))) = +-z, b and c the discordant counts, q the constrained maximum likelihood
    estimate of the second-only probability. Recommended by Fagerland, Lydersen & Laake (2014),
    Stat. Med. 33, 2850-2875; not degenerate without discordant pairs. `n` counts pairs; absent without any.
    """
    n, level = table.n, as_level(level)
    method = "difference of paired rates (first - second), Tango score, over pairs"
    if n == 0:
        return Estimate.absent(0, method, level, "no pairs")
    z = float(norm.ppf((1 + level) / 2))
    b, c = table.first_only, table.second_only
    difference = (b - c) / n
    # The score falls from +inf at -1 to -inf at 1 and is 0 at the observed difference.
    low = -1.0 if c == n else float(brentq(lambda d: _tango_score(d, b, c, n) - z, -1 + 1e-12, difference))
    high = 1.0 if b == n else float(brentq(lambda d: _tango_score(d, b, c, n) + z, difference, 1 - 1e-12))
    return Estimate(difference, low, high, n, method, level)


def constrained_second_only(difference: ArrayLike, b: ArrayLike, c: ArrayLike, n: ArrayLike) -> FloatArray:
    """Maximum likelihood estimate of the second-only probability where the difference of rates is given.

    The positive root of 2 n q^2 + linear q + constant = 0 (Tango 1998, eq. 5); arrays of one shape.
    """
    d, b, c, n = (np.asarray(x, np.float64) for x in (difference, b, c, n))
    linear = -b - c + (2 * n - b + c) * d
    constant = -c * d * (1 - d)
    return np.asarray((np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n))


def _tango_score(difference: float, b: int, c: int, n: int) -> float:
    """The score statistic at a hypothetical difference in (-1, 1)."""
    q = float(constrained_second_only(difference, b, c, n))
    variance = n * (2 * q + difference * (1 - difference))
    excess = b - c - n * difference
    # No variance is left where the hypothesis forbids discordant pairs altogether (d = 0 and none was seen).
    return 0.0 if variance <= 0 else float(excess / np.sqrt(variance))
