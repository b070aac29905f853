"""Reading the toy world's pictures: where the green square and the white dot are."""

import numpy as np
from numpy.typing import NDArray

from reverie.core.fakes.specs import SIZE

Array = NDArray[np.float64]


def centres(images: NDArray[np.uint8]) -> tuple[Array, Array]:
    """[B, S, S, 3] -> square and dot as (x, y) [B, 2] each; nan where nothing of that colour is seen."""
    red, green = images[..., 0].astype(np.float64), images[..., 1].astype(np.float64)
    return _centre(np.clip(green - red - 60, 0, None)), _centre(np.clip(red - 60, 0, None))


def _centre(weights: Array) -> Array:
    """[B, S, S] -> weighted mean position [B, 2]."""
    axis, total = np.arange(SIZE) / (SIZE - 1), weights.sum((1, 2))
    moments = np.stack([(weights.sum(1) * axis).sum(1), (weights.sum(2) * axis).sum(1)], axis=1)
    there = total[:, None] > 0
    return np.asarray(np.divide(moments, total[:, None], out=np.full_like(moments, np.nan), where=there))
