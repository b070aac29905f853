"""EpisodeRows: the rows of one episode, as they lie in the table, turned into the arrays of its frames and actions.

Ours show a new frame where `frame_age` is 0; a stranger's show one in every row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reverie.core import Observations, ReverieError
from reverie.data import layout
from reverie.data.deduce import STATE, SUCCESS_COLUMNS, extra_features
from reverie.data.entries import EpisodeEntry
from reverie.data.features import to_numpy
from reverie.data.metadata import DatasetInfo
from reverie.data.pixels import decode_stack
from reverie.data.record import EpisodeRecord
from reverie.data.video import read_frames

Value = TypeVar("Value")


def in_order(values: Mapping[str, Value], first: Sequence[str]) -> dict[str, Value]:
    """As a spec lists them, the rest after that: the order of cameras is that of their tiles."""
    return {k: values[k] for k in (*(f for f in first if f in values), *(v for v in values if v not in first))}


@dataclass(frozen=True)
class EpisodeRows:
    """`record` is ours, None for a stranger's episode. Pictures without a column in `table` (or a video) are left out."""

    root: Path
    info: DatasetInfo
    entry: EpisodeEntry
    record: EpisodeRecord | None
    table: pa.Table

    def observations(self, cameras: Mapping[str, str], extras: Sequence[str]) -> Observations:
        """cameras: name -> feature, in order. extras: the spec's, for their order."""
        shown = self.frame_steps()
        ours = self.record is not None
        times = self.values("observation.time_s" if ours else "timestamp")
        return Observations(
            images={camera: self.pictures(key, shown) for camera, key in cameras.items()},
            time_s=times[shown].astype(np.float64, copy=False),
            instructions=self.record.row_instructions if self.record is not None else (),
            commanded=self.vectors("observation.commanded", shown) if ours else None,
            measured=self.vectors("observation.measured" if ours else STATE, shown),
            extras=in_order(self._own_extras(shown) if ours else self._strange_extras(shown), extras),
        )

    def frame_steps(self) -> NDArray[np.int64]:
        """[F]: the rows at which a new frame was taken."""
        if self.record is None:
            return np.arange(self.entry.length, dtype=np.int64)
        return np.flatnonzero(self.values("frame_age") == 0)

    def actions(self, n_actions: int) -> NDArray[np.float32]:
        """[N, A], without the last row of ours, which repeats an action."""
        actions = self.vectors("action", slice(0, n_actions))
        assert actions is not None  # the specs could not have been read without it
        return actions

    def success(self) -> bool | None:
        """Of a stranger's episode: True if any row says so; None where no row says anything."""
        column = next((self.table[n] for n in SUCCESS_COLUMNS if n in self.table.column_names), None)
        told = [value for value in column.to_pylist() if value is not None] if column is not None else []
        return any(bool(value) for value in told) if told else None

    def values(self, key: str) -> NDArray[Any]:
        """[n] or [n, *shape] of a column of numbers, for every row of the episode."""
        return to_numpy(self.table[key], self.info.features[key], f"{self.root}, column {key!r}")

    def vectors(self, key: str, rows: Any) -> NDArray[np.float32] | None:
        """[n, D], also where D is 1 and the column holds scalars; None without such a column."""
        if key not in self.info.features:
            return None
        values: NDArray[Any] = self.values(key)[rows]
        flat = np.asarray(values.reshape(len(values), int(np.prod(values.shape[1:]))), dtype=np.float32)
        if not np.isfinite(flat).all():
            n, d = (int(i[0]) for i in np.nonzero(~np.isfinite(flat)))
            raise ReverieError(
                f"{self.entry.data_path}, episode {self.entry.index}: found {flat[n, d]} in column {key!r} (row {n}, number "
                f"{d}), expected finite numbers; leave this episode out or write it again"
            )
        return flat

    def pictures(self, key: str, shown: NDArray[np.int64]) -> NDArray[Any]:
        """uint8 [F, H, W, 3], or uint16 [F, H, W] of depth."""
        feature = self.info.features[key]
        if feature.dtype == "video":
            path, start_s = self.entry.videos[key]
            return read_frames(path, start_s, self.info.fps, shown.tolist())
        cells = self.table[key].combine_chunks().field("bytes").take(pa.array(shown)).to_pylist()
        where = f"{self.entry.data_path}, episode {self.entry.index}, {key}"
        return decode_stack(cells, where, depth=feature.is_depth)

    def _own_extras(self, shown: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """In the dtype and shape that were recorded: without the NaN up to the width of the column."""
        assert self.record is not None
        found: dict[str, NDArray[Any]] = {}
        for name, (dtype, shape) in self.record.extras.items():
            key = layout.EXTRAS + name
            if 0 in shape:
                found[name] = np.empty((len(shown), *shape), dtype=dtype)
            elif not self.info.features[key].is_picture:
                wide = self.info.features[key].shape if shape else ()
                values = self.values(key)[shown].reshape(len(shown), *wide)
                found[name] = values[(slice(None), *(slice(0, size) for size in shape))]
            elif key in self.table.column_names:
                found[name] = self.pictures(key, shown)
        return found

    def _strange_extras(self, shown: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        there = {n: k for n, k in extra_features(self.info).items() if k in self.table.column_names}
        pictured = {n for n, k in there.items() if self.info.features[k].is_picture}
        return {n: self.pictures(k, shown) if n in pictured else self.values(k)[shown] for n, k in there.items()}
