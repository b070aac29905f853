"""How many more real trials, and where: what the variance of PPI++ says before they are made.

Var = v / n (1 - r^2 (S - n) / S) with the best weight, v the variance of a real outcome, r its correlation with the
prediction, n real trials on S units of which all are predicted (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import norm

from reverie.stats.arguments import as_count, as_level


@dataclass(frozen=True)
class Precision:
    """What is known of a policy before more trials: n real ones on `n_units` predicted units, the variance of a real
    outcome, its correlation with the prediction. More units than predicted cannot be tried."""

    n: int
    n_units: int
    variance: float
    correlation: float

    def half_width(self, n: int, level: float = 0.95) -> float:
        """Expected half width with n real trials (n >= 1), padded by four pseudo-pairs as the interval is."""
        left = max(self.n_units - n, 0) / max(self.n_units, 1)
        variance = self.variance * (1 - max(self.correlation, 0.0) ** 2 * left) / (n + 4)
        return float(norm.ppf((1 + as_level(level)) / 2)) * math.sqrt(variance)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)


def trials_for(precision: Precision, half_width: float, level: float = 0.95, most: int = 100_000) -> int | None:
    """The least number of real trials in all (>= n) with an expected half width of at most `half_width`; None above
    `most`. The half width falls with n, so the number is found by halving."""
    if not half_width > 0:
        raise ValueError(f"half_width: found {half_width}, expected a positive number such as 0.05")
    low, high = max(precision.n, 1), as_count("most", most, minimum=1)
    if precision.half_width(high, level) > half_width:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if precision.half_width(middle, level) <= half_width else (middle + 1, high)
    return low


def allocate(precisions: list[Precision], n_more: int, level: float = 0.95) -> list[int]:
    """How to spread `n_more` real trials: each goes where the widest interval is, ties to where it shrinks most.

    Returns the number for each. Trials beyond the units of a policy are not given to it.
    """
    given = [0] * len(precisions)
    for _ in range(as_count("n_more", n_more)):
        open_ones = [i for i, p in enumerate(precisions) if p.n + given[i] < p.n_units]
        if not open_ones:
            break
        given[max(open_ones, key=lambda i: _need(precisions[i], given[i], level))] += 1
    return given


def _need(precision: Precision, given: int, level: float) -> tuple[float, float]:
    n = precision.n + given
    now = precision.half_width(n, level) if n else 1.0
    return round(now, 9), now - precision.half_width(n + 1, level)
