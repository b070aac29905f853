"""Quantiles of rows that come in parts, in bounded memory: sketches of episodes or shards that can be merged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SIZE = 4096


@dataclass(frozen=True)
class QuantileSketch:
    """Quantiles of every column of rows [N, D]; exact below `size` rows.

    Munro & Paterson 1980, Manku, Rajagopalan & Lindsay 1998: `full[l]` is a buffer of `size` values a column, sorted, each
    of which stands for 2^l rows, or None; `loose` [< size, D] are rows as they came. Two buffers of a level become one of
    the next by every second value of both together, in turns the odd and the even ones, which moves no rank by more than
    2^l. `off_by` counts these worst cases. Nothing is drawn: the same parts in the same order give the same quantiles.
    """

    size: int
    loose: Array
    full: tuple[Array | None, ...] = ()
    joins: int = 0
    off_by: int = 0

    @classmethod
    def of(cls, rows: NDArray[np.floating], size: int = SIZE) -> "QuantileSketch":
        """Of finite rows [N, D], N >= 0. `size` is even."""
        return cls(size, np.zeros((0, rows.shape[1])))._with_rows(np.asarray(rows, np.float64))

    def merged(self, other: "QuantileSketch") -> "QuantileSketch":
        """Of both sets of rows; the two must be of one size."""
        found = QuantileSketch(self.size, self.loose, self.full, self.joins, self.off_by + other.off_by)
        for level, buffer in enumerate(other.full):
            found = found if buffer is None else found._with_buffer(buffer, level)
        return found._with_rows(other.loose)

    @property
    def n(self) -> int:
        return len(self.loose) + sum(self.size << i for i, b in enumerate(self.full) if b is not None)

    @property
    def rank_error(self) -> float:
        """By how much, as a share of n, the rank of a returned value may at worst be off: about log2(n / size) / (2 size)."""
        coarsest = 1 << (len(self.full) - 1) if self.full else 0
        return (self.off_by + coarsest) / max(self.n, 1)

    def quantiles(self, shares: Sequence[float]) -> Array:
        """[Q, D], interpolated as `numpy.quantile` does. Raises ValueError for a sketch of nothing."""
        if not self.n:
            raise ValueError("a sketch of no rows has no quantiles")
        kept = [(self.loose, 1), *((b, 1 << i) for i, b in enumerate(self.full) if b is not None)]
        values = np.concatenate([v for v, _ in kept])
        weights = np.concatenate([np.full(len(v), w) for v, w in kept])
        wanted = np.asarray(shares, np.float64) * (self.n - 1)
        return np.stack([_interpolated(column, weights, wanted) for column in values.T], axis=1)

    def _with_rows(self, rows: Array) -> "QuantileSketch":
        loose, found = np.concatenate([self.loose, rows]), self
        cut = len(loose) - len(loose) % self.size
        for start in range(0, cut, self.size):
            found = found._with_buffer(np.sort(loose[start : start + self.size], axis=0), 0)
        return QuantileSketch(self.size, loose[cut:].copy(), found.full, found.joins, found.off_by)

    def _with_buffer(self, buffer: Array, level: int) -> "QuantileSketch":
        full, joins, off_by = [*self.full], self.joins, self.off_by
        full += [None] * (level + 1 - len(full))
        while (other := full[level]) is not None:
            buffer = np.sort(np.concatenate([other, buffer]), axis=0)[joins % 2 :: 2]
            full[level], joins, off_by = None, joins + 1, off_by + (1 << level)
            level += 1
            full += [None] * (level + 1 - len(full))
        full[level] = buffer
        return QuantileSketch(self.size, self.loose, tuple(full), joins, off_by)


def _interpolated(values: Array, weights: NDArray[np.int64], ranks: Array) -> Array:
    """Values at `ranks`, each value lying in the middle of the ranks that it stands for."""
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    return np.asarray(np.interp(ranks, ends - (weights[order] + 1) / 2, values[order]))
