"""Collection, second half: staged episodes -> one LeRobotDataset v3.0, by copying columns, never re-encoding a picture.

Everything is built in a temporary folder that is renamed once; only then the staging folder goes. So a kill leaves the
staged episodes or a complete data set, and running again gives the same bytes. One row group per episode; memory holds
one episode, and the metadata of 256.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reverie.core import ReverieError
from reverie.data import layout
from reverie.data.columns import INDEX_FEATURES
from reverie.data.episodes_table import EpisodesWriter
from reverie.data.features import Feature, schema_of, to_arrow, to_numpy
from reverie.data.metadata import read_info, write_info, write_stats, write_tasks
from reverie.data.plan import Plan, Progress, plan_of
from reverie.data.record import EpisodeRecord
from reverie.data.request import FILE as REQUEST
from reverie.data.request import read_request
from reverie.data.rolling import RollingParquet, RollingVideo
from reverie.data.staging import StagedHeader, parquet_options, staged_episodes, staged_path, staged_video
from reverie.data.statistics import Histogram, RunningStats, Stats, stats_of
from reverie.data.whole import discard_folder, whole_folder


def compact(
    staging: Path | str,
    root: Path | str,
    *,
    progress: Progress | None = None,
    data_mb: float = layout.DATA_FILE_MB,
    video_mb: float = layout.VIDEO_FILE_MB,
    n_episodes: int | None = None,
) -> Path:
    """Build the data set at `root` out of the folder `staging`, then delete `staging`. Episodes are numbered anew,
    without gaps, in the order of their staged indices; the request goes with them.

    n_episodes: insist on exactly the indices 0 up to n_episodes.
    Errors: ReverieError if `root` exists, nothing or something else is staged, or the episodes do not fit together.
    """
    staging, root = Path(staging), Path(root)
    if root.exists():
        _check_finished(staging, root)
    else:
        _check_indices(staging, n_episodes)
        with whole_folder(root) as temporary:
            _Build(staging, temporary, plan_of(staging), data_mb, video_mb).run(progress)
            if (staging / REQUEST).is_file():
                shutil.copyfile(staging / REQUEST, temporary / REQUEST)
    discard_folder(staging)
    return root


def _check_indices(staging: Path, n_episodes: int | None) -> None:
    if n_episodes is None:
        return
    wanted = range(n_episodes)
    if odd := sorted(set(staged_episodes(staging)) ^ set(wanted)):
        listed = ", ".join(f"{i} {'missing' if i in wanted else 'not asked for'}" for i in odd[:5])
        raise ReverieError(
            f"{staging}: expected the episodes 0 to {n_episodes - 1}, found others ({listed}{', ...' if odd[5:] else ''}): "
            "run the same command again, or delete those that were not asked for"
        )


def _check_finished(staging: Path, root: Path) -> None:
    """A kill may fall between the rename and the deletion of the staged files; then there is nothing left to build."""
    staged = len(staged_episodes(staging))
    if not layout.is_dataset(root) or (
        staged and (read_info(root).total_episodes, read_request(root)) != (staged, read_request(staging))
    ):
        raise ReverieError(f"{root} exists already: choose another folder, or move it away to build it from {staging}")


class _Build:
    """One pass over the staged episodes."""

    def __init__(self, staging: Path, root: Path, plan: Plan, data_mb: float, video_mb: float) -> None:
        self.staging, self.root, self.plan = staging, root, plan
        self.schema = schema_of(plan.features)
        self.data = RollingParquet(
            lambda c, f: root / layout.DATA.format(chunk_index=c, file_index=f),
            self.schema,
            data_mb,
            parquet_options(plan.features),
        )
        self.videos = {k: RollingVideo(_video_paths(root, k), video_mb) for k in plan.video_keys}
        self.episodes = EpisodesWriter(root, plan.features, data_mb)
        self.running = {k: RunningStats(len(plan.indices)) for k, f in plan.features.items() if f.is_numeric}
        self.histograms: dict[str, Histogram] = {}
        self.digest = hashlib.blake2b(digest_size=16)
        self.n_rows = 0

    def run(self, progress: Progress | None) -> None:
        for number, index in enumerate(self.plan.indices):
            self.add(number, index)
            if progress:
                progress(number + 1, len(self.plan.indices))
        self.data.close()
        self.episodes.close()
        for video in self.videos.values():
            video.close()
        write_tasks(self.root, self.plan.tasks)
        write_stats(self.root, self.merged_stats())
        write_info(self.root, self.plan, self.n_rows, self.digest.hexdigest())

    def add(self, number: int, index: int) -> None:
        path = staged_path(self.staging, index)
        content = path.read_bytes()
        self.digest.update(content)
        table = pq.read_table(pa.BufferReader(content), use_threads=False)
        header = StagedHeader.from_json(table.schema.metadata[layout.MARK.encode()])
        table, stats = self.final_table(table, header.record, number), dict(header.stats)
        place = self.data.write(table, len(content))
        row: dict[str, Any] = {
            "episode_index": number,
            "tasks": [header.record.instruction],
            "length": len(table),
            "data/chunk_index": place[0],
            "data/file_index": place[1],
            "dataset_from_index": self.n_rows,
            "dataset_to_index": self.n_rows + len(table),
        }
        row |= self.add_videos(index, len(table), header)
        stats |= self.add_stats(table, stats) | {k: h.stats() for k, h in header.histograms.items()}
        self.episodes.add(row, header.record, stats)
        self.n_rows += len(table)

    def final_table(self, table: pa.Table, record: EpisodeRecord, number: int) -> pa.Table:
        """Columns in the data set's order, with the numbers that only the whole data set knows."""
        n = len(table)
        known = {
            "episode_index": np.full(n, number),
            "index": np.arange(self.n_rows, self.n_rows + n),
            "task_index": np.full(n, self.plan.tasks[record.instruction]),
        }
        columns = {k: to_arrow(v.astype(np.int64), INDEX_FEATURES[k]) for k, v in known.items()}
        columns |= {k: self.widened(table, k, record) for k in self.plan.ragged & self.plan.features.keys()}
        return pa.table([columns[k] if k in columns else table[k] for k in self.schema.names], schema=self.schema)

    def widened(self, table: pa.Table, key: str, record: EpisodeRecord) -> pa.Array:
        """A column of a smaller shape, filled with NaN up to the data set's shape."""
        feature = self.plan.features[key]
        dtype, shape = record.extras[key.removeprefix(layout.EXTRAS)]
        wide = np.full((len(table), *feature.shape), np.nan, dtype=dtype)
        if 0 not in shape:
            own = to_numpy(table[key], Feature(dtype, shape or (1,)), key)
            wide[(slice(None), *(slice(0, s) for s in shape))] = own.reshape(len(table), *shape)
        return to_arrow(wide, feature)

    def add_stats(self, table: pa.Table, stats: dict[str, Stats]) -> dict[str, Stats]:
        """Feeds the running statistics; returns those of the columns that staging did not know."""
        new = {}
        for key in list(self.running):
            values = to_numpy(table[key], self.plan.features[key], key)[self.rows_that_count(table, key)]
            if not len(values):
                continue
            if key in INDEX_FEATURES:
                new[key] = stats_of(values)
            elif key in self.plan.ragged or key not in stats:
                del self.running[key]  # numbers that are not finite: see columns.row_stats
                continue
            self.running[key].add(values, new.get(key) or stats[key])
        return new

    def rows_that_count(self, table: pa.Table, key: str) -> NDArray[np.bool_]:
        """Each frame once, and actions that were taken: as staging counted them."""
        if key == "action":
            return np.asarray(table["action_valid"].to_numpy())
        if key.startswith("observation."):
            return np.asarray(table["frame_age"].to_numpy() == 0)
        return np.ones(len(table), dtype=bool)

    def add_videos(self, index: int, n_rows: int, header: StagedHeader) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for key, video in self.videos.items():
            source = staged_video(self.staging, index, key)
            self.digest.update(source.read_bytes())
            place, span = video.append(source, n_rows, header.specs["action_spec"]["control_hz"])
            names = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
            row |= {f"videos/{key}/{n}": v for n, v in zip(names, (*place, *span), strict=True)}
        for key, histogram in header.histograms.items():
            self.histograms[key] = self.histograms[key] + histogram if key in self.histograms else histogram
        return row

    def merged_stats(self) -> dict[str, Stats]:
        return {k: r.stats() for k, r in self.running.items() if r.n_rows} | {
            k: h.stats() for k, h in self.histograms.items()
        }


def _video_paths(root: Path, key: str) -> Any:
    return lambda c, f: root / layout.VIDEO.format(video_key=key, chunk_index=c, file_index=f)
