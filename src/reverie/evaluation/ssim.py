"""SSIM, pixel by pixel. Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to
structural similarity", equation 13, with the paper's window (11 x 11 Gaussian, sigma 1.5) and constants (K1 .01, K2 .03).

Deviations: colour channels are compared one by one and averaged (the paper has grey images), and windows that reach over
the border see the image mirrored, so that every pixel has a value and any set of pixels has a mean.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
Array = NDArray[np.float64]


def ssim_map(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Array:
    """[..., H, W, C] twice, in 0..255 -> [..., H, W] in -1..1, the mean over channels; 1 where both are equal.

    Raises ValueError for two shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"ssim_map: found shapes {first.shape} and {second.shape}, expected one")
    x, y = first.astype(np.float64), second.astype(np.float64)
    mean_x, mean_y = _local_mean(x), _local_mean(y)
    var_x, var_y = _local_mean(x * x) - mean_x**2, _local_mean(y * y) - mean_y**2
    covariance = _local_mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return np.asarray((luminance * structure).mean(-1))


def _local_mean(values: Array) -> Array:
    """Gaussian mean over rows and columns of [..., H, W, C]."""
    at = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(at**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    rows = correlate1d(values, weights, axis=-3, mode="reflect")
    return np.asarray(correlate1d(rows, weights, axis=-2, mode="reflect"))
