"""Pairs of a real and a predicted outcome of the same trial: moments that stay sane when pairs are few.

Works on [..., n] arrays of numbers in [0, 1], so that thousands of data sets are one call.
"""

from typing import NamedTuple

import numpy as np

from reverie.stats.arguments import FloatArray

PSEUDO_PAIRS = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
"""Four pairs, one of each kind, that are added: without a prediction they are the two successes and two failures of
Agresti & Coull (1998), Am. Stat. 52, 119-126."""


class Moments(NamedTuple):
    """Of padded pairs, each [...]: means, variances, covariance. `n` counts real and pseudo pairs."""

    real: FloatArray
    predicted: FloatArray
    real_variance: FloatArray
    predicted_variance: FloatArray
    covariance: FloatArray
    n: int


def padded_moments(real: FloatArray, predicted: FloatArray) -> Moments:
    n = real.shape[-1] + len(PSEUDO_PAIRS)
    y, f = ((side.sum(-1) + PSEUDO_PAIRS[:, i].sum()) / n for i, side in enumerate((real, predicted)))

    def moment(first: FloatArray, second: FloatArray, product: FloatArray, pseudo: float) -> FloatArray:
        return np.asarray((product.sum(-1) + pseudo) / n - first * second)

    return Moments(
        y,
        f,
        moment(y, y, real**2, 2.0),
        moment(f, f, predicted**2, 2.0),
        moment(y, f, real * predicted, 1.0),
        n,
    )


def tuned_weight(real: FloatArray, predicted: FloatArray, n_unlabelled: int) -> FloatArray:
    """[...] in [0, 1]: how much to lean on the prediction, Cov(Y, F) / ((1 + n / N) Var F).

    Angelopoulos, Duchi & Zrnic (2023), arXiv:2311.01453, the power tuning of a mean, from padded pairs; 0 without
    unlabelled predictions.
    """
    if n_unlabelled == 0:
        return np.zeros(real.shape[:-1])
    found = padded_moments(real, predicted)
    scale = (1 + found.n / n_unlabelled) * found.predicted_variance
    return np.asarray(np.clip(found.covariance / scale, 0.0, 1.0))
