"""An interval for a mean that holds at any number of trials: a gambler who cannot win against the truth.

Slow to narrow (an exact binomial interval of 0/1 outcomes is shorter), but it assumes nothing beyond bounded values, and
it may use a prediction of every value that was made before the value was seen.
"""

import numpy as np

from reverie.stats.arguments import FloatArray
from reverie.stats.pairs import tuned_weight

GRID = 1001
CAUTION = 0.75
"""The share of the stake that would be lost at worst; below 1, so that nobody goes bankrupt."""


def betting_limits(
    real: FloatArray, predicted: FloatArray, mean_limits: tuple[float, float], n_unlabelled: int, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper limits [...] of the mean of `real` [..., n] in [0, 1], each wrong with chance at most alpha / 2.

    Waudby-Smith & Ramdas (2024), JRSS B 86, 1-27 (capital process with bets of their eq. 26, for a fixed n), on
    real_i - w_i (predicted_i - m), with w_i tuned on the pairs before i, and m a limit [...] of the mean prediction: the
    lower one for the lower limit, the upper one for the upper. Those limits may err with a chance of their own, which
    the caller adds.
    """
    low = _one_side(real, predicted, np.asarray(mean_limits[0]), n_unlabelled, alpha / 2)
    flipped = _one_side(1 - real, 1 - predicted, np.asarray(1 - mean_limits[1]), n_unlabelled, alpha / 2)
    return low, 1 - flipped


def _one_side(real: FloatArray, predicted: FloatArray, mean: FloatArray, n_unlabelled: int, alpha: float) -> FloatArray:
    """The smallest mean that capital 1 / alpha does not refute."""
    n, grid = real.shape[-1], np.linspace(0, 1, GRID)
    capital = np.zeros((*real.shape[:-1], GRID))  # log, per hypothetical mean
    best = capital.copy()
    total, squares = np.full(real.shape[:-1], 0.5), np.full(real.shape[:-1], 0.25)
    for i in range(n):
        weight = tuned_weight(real[..., :i], predicted[..., :i], n_unlabelled)
        x = real[..., i] - weight * (predicted[..., i] - mean)
        bet = np.sqrt(2 * np.log(1 / alpha) / (squares / (i + 1) * n))
        # x is at least -weight (1 - mean).
        most = CAUTION / (grid + (weight * (1 - mean))[..., None] + 1e-12)
        capital += np.log1p(np.minimum(bet[..., None], most) * (x[..., None] - grid))
        best = np.maximum(best, capital)
        total = total + x
        squares = squares + (x - total / (i + 2)) ** 2
    kept = best < np.log(1 / alpha)
    # The smallest kept mean, one grid step below: what lies between two grid points was not tried.
    first = np.where(kept.any(-1), kept.argmax(-1), GRID - 1)
    return np.asarray(grid[np.maximum(first - 1, 0)])
