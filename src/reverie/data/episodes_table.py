"""The episodes parquet: one row per episode with where its data lie, its statistics, and our record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from reverie.data import layout
from reverie.data.features import Feature
from reverie.data.record import RECORD_COLUMNS, EpisodeRecord, record_to_row
from reverie.data.rolling import RollingParquet
from reverie.data.statistics import QUANTILES, Stats, stats_to_json

ROWS_AT_ONCE = 256
_STATS = ("min", "max", "mean", "std", "count", *QUANTILES)
_INTEGERS = (
    "episode_index",
    "length",
    "data/chunk_index",
    "data/file_index",
    "dataset_from_index",
    "dataset_to_index",
    "meta/episodes/chunk_index",
    "meta/episodes/file_index",
)


def episodes_schema(features: Mapping[str, Feature]) -> pa.Schema:
    """The columns of meta/episodes: LeRobot's indices and statistics for these features, and our record."""
    columns: dict[str, pa.DataType] = dict.fromkeys(_INTEGERS, pa.int64()) | {"tasks": pa.list_(pa.string())}
    for key, feature in features.items():
        if feature.dtype == "video":
            columns |= {f"videos/{key}/{n}": pa.int64() for n in ("chunk_index", "file_index")}
            columns |= {f"videos/{key}/{n}": pa.float64() for n in ("from_timestamp", "to_timestamp")}
    for key, feature in features.items():
        columns |= {f"stats/{key}/{s}": _stat_type(feature, s) for s in _STATS}
    return pa.schema(list((columns | RECORD_COLUMNS).items()))


def _stat_type(feature: Feature, stat: str) -> pa.DataType:
    if stat == "count":
        return pa.list_(pa.int64())
    kind = pa.float64()
    for _ in range(3 if feature.is_picture else len(feature.shape)):
        kind = pa.list_(kind)
    return kind


class EpisodesWriter:
    """Streams rows to disk, 256 at a time. A statistic that an episode lacks is null."""

    def __init__(self, root: Path, features: Mapping[str, Feature], limit_mb: float) -> None:
        self._schema = episodes_schema(features)
        self._rows: list[dict[str, Any]] = []
        self._writer = RollingParquet(
            lambda c, f: root / layout.EPISODES.format(chunk_index=c, file_index=f),
            self._schema,
            limit_mb,
            {"compression": "snappy", "use_dictionary": True, "write_statistics": ["episode_index"]},
        )

    def add(self, row: dict[str, Any], record: EpisodeRecord, stats: Mapping[str, Stats]) -> None:
        """One episode: `row` holds the integers and video places, `stats` is by feature."""
        cells = {f"stats/{k}/{n}": v for k, s in stats.items() for n, v in stats_to_json(s).items()}
        self._rows.append(row | cells | record_to_row(record))
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        chunk, file = self._writer.make_room(0)
        place = {"meta/episodes/chunk_index": chunk, "meta/episodes/file_index": file}
        self._writer.write(pa.Table.from_pylist([row | place for row in self._rows], schema=self._schema), 0)
        self._rows = []

    def close(self) -> None:
        """Write what is left; the files are complete only then."""
        self._flush()
        self._writer.close()
