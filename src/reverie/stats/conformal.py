"""A threshold that a new score stays below with a chosen chance: split conformal prediction, exact at any n.

Scores are of calibration cases that nothing was fitted on, exchangeable with the new one. High is strange.
"""

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta

from reverie.stats.arguments import as_count, as_level, as_vector


@dataclass(frozen=True)
class ConformalThreshold:
    """The `rank`-th smallest of `n` scores. A new score is at most `value` with probability at least `coverage`, over
    both the calibration and the new case (exactly rank / (n + 1) without ties). What this one calibration set gives is
    itself random: Beta(rank, n + 1 - rank), central `level` quantiles low, high."""

    value: float | None
    rank: int
    n: int
    coverage: float | None
    low: float | None
    high: float | None
    level: float
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)


def conformal_rank(n: int, alpha: float) -> int:
    """ceil((n + 1)(1 - alpha)), in exact arithmetic of alpha's decimals; above n there is no finite threshold."""
    share = 1 - Fraction(str(as_level(alpha)))
    return math.ceil((as_count("n", n) + 1) * share)


def conformal_threshold(scores: ArrayLike, alpha: float, level: float = 0.95) -> ConformalThreshold:
    """Threshold that at most a share `alpha` of new scores exceed (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, JASA
    113, 1094-1111; the law given the calibration set: Vovk 2012, ACML). The order statistic itself, never interpolated.

    Absent where n < 1 / alpha - 1: then every score would have to be below it. Raises ValueError for an alpha outside
    (0, 1) or scores that are not finite.
    """
    values, level = np.sort(as_vector("scores", scores)), as_level(level)
    n, rank = len(values), conformal_rank(len(values), alpha)
    if rank > n:
        needed = math.ceil(1 / Fraction(str(alpha))) - 1
        return ConformalThreshold(None, rank, n, None, None, None, level, f"{n} scores, expected at least {needed}")
    low, high = beta.ppf([(1 - level) / 2, (1 + level) / 2], rank, n + 1 - rank)
    return ConformalThreshold(float(values[rank - 1]), rank, n, rank / (n + 1), float(low), float(high), level)
