"""Which rows a step learns from: a function of (seed, step) alone, so there is no state to save or to lose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError, generator


@dataclass(frozen=True)
class WeightedSampler:
    """Draws rows with replacement, in proportion to `weights` [N] (a row of weight 0 is never drawn)."""

    weights: NDArray[np.float64]
    seed: int

    def __post_init__(self) -> None:
        if len(self.weights) == 0 or not (self.weights >= 0).all() or not self.weights.sum() > 0:
            raise ReverieError(
                f"nothing to sample from: {len(self.weights)} rows, {int((self.weights > 0).sum())} with a weight > 0"
            )
        object.__setattr__(self, "_cumulative", np.cumsum(self.weights / self.weights.sum()))

    def rows(self, step: int, size: int) -> NDArray[np.int64]:
        """[size] row numbers for this step."""
        draws = generator("sampler", self.seed, step).random(size)
        cumulative: NDArray[np.float64] = self.__dict__["_cumulative"]
        found = np.searchsorted(cumulative, draws, side="right")
        return np.minimum(found, int(np.flatnonzero(self.weights)[-1])).astype(np.int64)
