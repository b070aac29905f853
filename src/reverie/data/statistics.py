"""Statistics of features as LeRobot stores them: min, max, mean, std, count, five quantiles; of one episode, and merged.

Merged count, min, max, mean and std are exact. Merged quantiles are those of pooled rows (all rows of a small data set,
evenly spaced ones of a large one), not LeRobot's envelope of episodes. Pictures are counted in histograms of a few frames
of every episode: in [0, 1] for RGB, in millimetres (16 mm wide bins) for depth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.stats.sketches import QuantileSketch

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
POOLED_ROWS = 50_000
FRAMES_COUNTED = 8
DEPTH_BIN_MM = 16

Stats = dict[str, NDArray[np.float64]]
"""min, max, mean, std and quantiles, each with the shape of one row; count of shape (1,)."""


def stats_of(values: NDArray[Any]) -> Stats:
    """Statistics over the first axis of [n, ...], n >= 1; (1,) for scalars."""
    rows = values.astype(np.float64).reshape(len(values), *(values.shape[1:] or (1,)))
    quantiles = np.quantile(rows, list(QUANTILES.values()), axis=0)
    return _moments(rows) | dict(zip(QUANTILES, quantiles, strict=True))


def _moments(rows: NDArray[np.float64]) -> Stats:
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        "count": np.array([len(rows)], dtype=np.float64),
    }


@dataclass(frozen=True)
class Summary:
    """Statistics of the columns of some rows, which can be merged with those of others without the rows: count, min, max,
    mean and std exactly, quantiles to within `rank_error` of their rank."""

    moments: Stats
    sketch: QuantileSketch

    @classmethod
    def of(cls, rows: NDArray[Any]) -> "Summary":
        """Of rows [n, D], n >= 1."""
        return cls(_moments(rows.astype(np.float64)), QuantileSketch.of(rows))

    def merged(self, other: "Summary") -> "Summary":
        return Summary(merge(self.moments, other.moments), self.sketch.merged(other.sketch))

    @property
    def rank_error(self) -> float:
        """At worst, as a share of all rows."""
        return self.sketch.rank_error

    def stats(self) -> Stats:
        quantiles = self.sketch.quantiles(list(QUANTILES.values()))
        return self.moments | dict(zip(QUANTILES, quantiles, strict=True))


@dataclass(frozen=True)
class Histogram:
    """Counts of pixel values: int64 [channels, bins]. A bin stands for `scale` * its number in stored units."""

    counts: NDArray[np.int64]
    scale: float

    def stats(self) -> Stats:
        """Shapes are (channels, 1, 1), count (1,) is the number of pixels."""
        levels = np.arange(self.counts.shape[1]) * self.scale
        total = self.counts.sum(axis=1)
        mean = self.counts @ levels / total
        variance = np.maximum(self.counts @ levels**2 / total - mean**2, 0.0)
        reached = np.cumsum(self.counts, axis=1)
        found = {
            "min": levels[(self.counts > 0).argmax(axis=1)],
            "max": levels[self.counts.shape[1] - 1 - (self.counts > 0)[:, ::-1].argmax(axis=1)],
            "mean": mean,
            "std": np.sqrt(variance),
        } | {k: levels[(reached >= q * total[:, None]).argmax(axis=1)] for k, q in QUANTILES.items()}
        shaped = {k: v[:, None, None] for k, v in found.items()}
        return shaped | {"count": np.array([total[0]], dtype=np.float64)}

    def to_dict(self) -> dict[str, Any]:
        """Only the bins that hold anything."""
        filled = [np.flatnonzero(channel) for channel in self.counts]
        cells = [[bins.tolist(), channel[bins].tolist()] for bins, channel in zip(filled, self.counts, strict=True)]
        return {"scale": self.scale, "size": self.counts.shape[1], "cells": cells}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Histogram":
        """What `to_dict` gave."""
        counts = np.zeros((len(value["cells"]), value["size"]), dtype=np.int64)
        for channel, (bins, filled) in enumerate(value["cells"]):
            counts[channel, bins] = filled
        return cls(counts, value["scale"])

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram(self.counts + other.counts, self.scale)


def histogram_of(frames: NDArray[Any]) -> Histogram:
    """uint8 [F, H, W, 3] or uint16 [F, H, W] -> a histogram of up to 8 evenly spaced frames."""
    some = frames[np.unique(np.linspace(0, len(frames) - 1, FRAMES_COUNTED).round().astype(int))]
    if some.ndim == 3:
        bins = (some // DEPTH_BIN_MM).reshape(-1)
        return Histogram(np.bincount(bins, minlength=65536 // DEPTH_BIN_MM)[None], float(DEPTH_BIN_MM))
    channels = [np.bincount(some[..., c].reshape(-1), minlength=256) for c in range(some.shape[-1])]
    return Histogram(np.stack(channels), 1 / 255)


class RunningStats:
    """Merges the statistics of episodes, one at a time (Chan et al. 1979, updating formulae for sample variances)."""

    def __init__(self, n_episodes: int) -> None:
        self._rows_each = max(1, POOLED_ROWS // max(1, n_episodes))
        self._pool: list[NDArray[Any]] = []
        self._merged: Stats = {}
        self.n_rows = 0

    def add(self, values: NDArray[Any], stats: Stats) -> None:
        """`values` [n, ...] are the rows that `stats` describes."""
        picked = np.unique(np.linspace(0, len(values) - 1, min(len(values), self._rows_each)).round().astype(int))
        self._pool.append(values[picked].reshape(len(picked), *(values.shape[1:] or (1,))))
        self._merged = merge(self._merged, stats) if self.n_rows else dict(stats)
        self.n_rows += len(values)

    def stats(self) -> Stats:
        """Of all rows so far; at least one is needed."""
        pooled = np.quantile(np.concatenate(self._pool).astype(np.float64), list(QUANTILES.values()), axis=0)
        return self._merged | dict(zip(QUANTILES, pooled, strict=True))


def merge(a: Mapping[str, NDArray[np.float64]], b: Mapping[str, NDArray[np.float64]]) -> Stats:
    """Statistics of two disjoint sets of rows, without quantiles."""
    n_a, n_b = float(a["count"][0]), float(b["count"][0])
    share = n_b / (n_a + n_b)
    gap = b["mean"] - a["mean"]
    variance = (1 - share) * a["std"] ** 2 + share * b["std"] ** 2 + share * (1 - share) * gap**2
    return {
        "min": np.minimum(a["min"], b["min"]),
        "max": np.maximum(a["max"], b["max"]),
        "mean": a["mean"] + share * gap,
        "std": np.sqrt(variance),
        "count": a["count"] + b["count"],
    }


def stats_to_json(stats: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Nested lists; the count is an integer."""
    return {k: (v.astype(np.int64) if k == "count" else v).tolist() for k, v in stats.items()}


def stats_from_json(value: Mapping[str, Sequence[Any]]) -> Stats:
    """What `stats_to_json` gave."""
    return {k: np.asarray(v, dtype=np.float64) for k, v in value.items()}
