"""Which way do pictures move? Measured on pixels alone, so that it holds for any camera and any robot."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from reverie.evaluation.fidelity import MOVED, Frames

BLUR_PX = 1.5
"""Gradients are linear over about this far, so that steps of a few pixels are still followed."""


def displacement(frames: Frames) -> NDArray[np.float64]:
    """[F, V, H, W, 3] -> [V, 2]: (u, v) in pixels by which what moves in each view has moved from the first frame to the last.

    Per pair of frames, the one shift d of all changed pixels that solves grad I . d = -dI/dt best (Lucas & Kanade 1981,
    section 3), summed over the pairs; views without change do not move.
    """
    grey = gaussian_filter(frames.mean(-1), (0, 0, BLUR_PX, BLUR_PX))
    found = np.zeros((frames.shape[1], 2))
    for before, after in pairwise(grey):
        for view, (one, two) in enumerate(zip(before, after, strict=True)):
            moved = np.abs(two - one) > MOVED / 2  # blurred: half as high
            slope_v, slope_u = np.gradient((one + two) / 2)
            slopes = np.stack([slope_u[moved], slope_v[moved]], axis=1)  # [P, 2]
            found[view] += np.linalg.lstsq(slopes, (one - two)[moved], rcond=None)[0] if moved.any() else 0
    return found


def alignment(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Cosine between two displacements of all views: 1 the same way, -1 the other way, 0 where one of them stands still."""
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / size) if size > 0 else 0.0
