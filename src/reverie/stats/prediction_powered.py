"""Absolute success from few real trials and many predicted ones (prediction-powered inference, PPI++).

A pair is one unit (a scene) with its real outcome and its predicted one; an unlabelled unit has the predicted one only.
The units with a real outcome must be a random draw of all: a prediction may be wrong in any way, a selection may not.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_level, as_rates
from reverie.stats.betting import betting_limits
from reverie.stats.intervals import clopper_pearson
from reverie.stats.pairs import padded_moments, tuned_weight

MIN_PAIRS = 30
"""Below, a normal approximation carries no guarantee."""
MEAN_SHARE = 0.1
"""Of alpha, spent on the mean prediction by the betting interval."""


@dataclass(frozen=True)
class PredictionPowered:
    """A success rate from pairs and unlabelled predictions.

    estimate: PPI++, an approximate interval. guaranteed: below MIN_PAIRS pairs an interval that holds at any number of
    them, and `estimate` from there on. classical: from the real outcomes alone. weight: how much the prediction counts,
    0 to 1. effective_n: the real trials that would give as short an interval without the prediction. correlation: of
    real and predicted outcomes, padded. All but `classical` are absent or None without a pair.
    """

    estimate: Estimate
    guaranteed: Estimate
    classical: Estimate
    weight: float | None
    effective_n: float | None
    correlation: float | None
    n_unlabelled: int

    def to_dict(self) -> dict[str, Any]:
        """Nested fields by name, ready for JSON."""
        return asdict(self)


def prediction_powered(
    real: ArrayLike, predicted: ArrayLike, unlabelled: ArrayLike, level: float = 0.95
) -> PredictionPowered:
    """PPI++ for the mean of outcomes in [0, 1]: [n] real and [n] predicted of the same units, [N] unlabelled predicted.

    The estimate is w mean(F_unlabelled) + mean(Y - w F), with w of `pairs.tuned_weight` (Angelopoulos, Duchi & Zrnic
    2023, arXiv:2311.01453); for its interval see `ppi_limits`. Below MIN_PAIRS pairs the guaranteed interval is
    Clopper-Pearson's of the real outcomes where these are 0 or 1 (shorter than `betting_interval` in every setting of
    bench/coverage_calibration.py), and else `betting_interval`. `n` counts pairs.
    Raises ValueError for values outside [0, 1] or unequal lengths.
    """
    y, f, u = _checked(real, predicted, unlabelled)
    level, n = as_level(level), len(y)
    method = f"PPI++ over {n} pairs and {len(u)} unlabelled units"
    if n == 0:
        empty = Estimate.absent(0, method, level, "no real trials")
        return PredictionPowered(empty, empty, empty, None, None, None, len(u))
    weight = tuned_weight(y, f, len(u))
    mean = float(u.mean()) if len(u) else 0.0
    low, high = ppi_limits(y, f, np.asarray(mean), np.asarray(u.var() if len(u) else 0.0), len(u), level)
    value = float(np.clip(weight * mean + (y - weight * f).mean(), 0, 1))
    estimate = Estimate(value, float(low), float(high), n, f"{method}, padded normal interval", level)
    classical = real_alone(y, level)
    found = padded_moments(y, f)
    correlation = float(found.covariance / np.sqrt(found.real_variance * found.predicted_variance))
    return PredictionPowered(
        estimate,
        estimate if n >= MIN_PAIRS else classical if _is_binary(y) else betting_interval(y, f, u, level),
        classical,
        float(weight),
        n / (1 - correlation**2 * len(u) / (n + len(u))) if weight > 0 else float(n),
        correlation,
        len(u),
    )


def ppi_limits(
    real: FloatArray, predicted: FloatArray, mean: FloatArray, variance: FloatArray, n_unlabelled: int, level: float
) -> tuple[FloatArray, FloatArray]:
    """Limits [...] from pairs [..., n] and the mean and variance [...] of the unlabelled predictions.

    Normal, with variance w^2 Var F / N + Var(Y - w F) / n. Deviation from PPI++: four pseudo-pairs are among the n;
    without them it covers .77 at n = 10 and .91 at n = 30 for a correlation of .7.
    """
    weight = tuned_weight(real, predicted, n_unlabelled)
    found = padded_moments(real, predicted)
    spread = found.real_variance - 2 * weight * found.covariance + weight**2 * found.predicted_variance
    centre = weight * mean + found.real - weight * found.predicted
    reach = norm.ppf((1 + level) / 2) * np.sqrt(spread / found.n + weight**2 * variance / max(n_unlabelled, 1))
    return np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)


def betting_interval(real: ArrayLike, predicted: ArrayLike, unlabelled: ArrayLike, level: float = 0.95) -> Estimate:
    """The same mean with an interval that holds at any n, see `betting.betting_limits`. The order of pairs matters to its
    length, not to its truth. `n` counts pairs."""
    y, f, u = _checked(real, predicted, unlabelled)
    level, alpha = as_level(level), 1 - as_level(level)
    method = f"mean of {len(y)} pairs with {len(u)} unlabelled units, betting interval"
    if len(y) == 0:
        return Estimate.absent(0, method, level, "no real trials")
    mean = real_alone(u, 1 - MEAN_SHARE * alpha) if len(u) else None
    limits = (mean.low or 0.0, mean.high or 1.0) if mean and mean.high is not None else (0.0, 1.0)
    low, high = betting_limits(y, f, limits, len(u), alpha * (1 - MEAN_SHARE if len(u) else 1))
    weight = float(tuned_weight(y, f, len(u)))
    value = float(np.clip(weight * (u.mean() if len(u) else 0) + (y - weight * f).mean(), 0, 1))
    return Estimate(value, float(low), float(max(low, high)), len(y), method, level)


def real_alone(real: ArrayLike, level: float = 0.95) -> Estimate:
    """The mean of outcomes in [0, 1] without predictions: Clopper-Pearson where all are 0 or 1, else betting."""
    y = as_rates("real", real)
    if _is_binary(y):
        return clopper_pearson(int(y.sum()), len(y), level)
    return betting_interval(y, np.zeros_like(y), np.zeros(0), level)


def _checked(real: ArrayLike, predicted: ArrayLike, unlabelled: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    y, f, u = as_rates("real", real), as_rates("predicted", predicted), as_rates("unlabelled", unlabelled)
    if y.shape != f.shape:
        raise ValueError(f"real, predicted: found {len(y)} and {len(f)} outcomes, expected pairs")
    return y, f, u


def _is_binary(values: FloatArray) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())
