"""Where each episode's rows and videos lie, read off the metadata of LeRobotDataset v3.0 and of v2.x."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reverie.core import ReverieError
from reverie.data import layout
from reverie.data.metadata import DatasetInfo, read_parquet, read_tasks
from reverie.data.record import RECORD_COLUMNS, EpisodeRecord, record_from_row


@dataclass(frozen=True)
class EpisodeEntry:
    """`first_row` counts within the data file. videos: key -> file and the time in seconds at which the episode starts."""

    index: int
    length: int
    tasks: tuple[str, ...]
    data_path: Path
    first_row: int
    videos: Mapping[str, tuple[Path, float]]
    own: Mapping[str, Any] | None = field(default=None, repr=False)

    def record(self) -> EpisodeRecord | None:
        """Our record, None in a stranger's data set."""
        return None if self.own is None else record_from_row(self.own)


def read_entries(root: Path, info: DatasetInfo) -> tuple[list[EpisodeEntry], dict[int, str]]:
    """The episodes in order, and the tasks by index."""
    read = _read_v30 if info.version.startswith("v3.") else _read_v2
    entries, tasks = read(root, info)
    if [e.index for e in entries] != list(range(info.total_episodes)):
        raise ReverieError(
            f"{root / layout.INFO}: found total_episodes {info.total_episodes}, but the episode metadata list "
            f"{len(entries)} episodes; expected both to agree and episode_index to count from 0: copy meta/ again"
        )
    return entries, tasks


def _read_v30(root: Path, info: DatasetInfo) -> tuple[list[EpisodeEntry], dict[int, str]]:
    rows = [row for path in _episode_files(root) for row in _metadata_rows(path)]
    first_index: dict[tuple[int, int], int] = {}
    for row in rows:
        key = (row["data/chunk_index"], row["data/file_index"])
        first_index[key] = min(first_index.get(key, row["dataset_from_index"]), row["dataset_from_index"])
    entries = []
    for row in rows:
        place = {"chunk_index": row["data/chunk_index"], "file_index": row["data/file_index"]}
        entries.append(
            EpisodeEntry(
                index=row["episode_index"],
                length=row["length"],
                tasks=tuple(row.get("tasks") or ()),
                data_path=root / info.data_path.format(**place),
                first_row=row["dataset_from_index"] - first_index[tuple(place.values())],
                videos={k: _v30_video(root, info, k, row) for k in info.video_keys},
                own=row if info.own is not None and RECORD_COLUMNS.keys() <= row.keys() else None,
            )
        )
    return sorted(entries, key=lambda e: e.index), read_tasks(root / layout.TASKS)


def _episode_files(root: Path) -> list[Path]:
    files = sorted((root / "meta/episodes").glob("*/*.parquet"))
    if not files:
        raise ReverieError(
            f"{root / 'meta/episodes'}: found no parquet file, expected chunk-000/file-000.parquet; copy meta/ again"
        )
    return files


def _metadata_rows(path: Path) -> list[dict[str, Any]]:
    """Without statistics, which are nine tenths of the file."""
    rows: list[dict[str, Any]] = read_parquet(path, skip="stats/").to_pylist()
    needed = ("episode_index", "length", "data/chunk_index", "data/file_index", "dataset_from_index")
    lacking = [n for n in needed if rows and n not in rows[0]]
    if lacking:
        raise ReverieError(f"{path}: found no column {lacking}, expected those of LeRobotDataset v3.0")
    return rows


def _v30_video(root: Path, info: DatasetInfo, key: str, row: Mapping[str, Any]) -> tuple[Path, float]:
    column = f"videos/{key}/from_timestamp"
    if column not in row or info.video_path is None:
        raise ReverieError(
            f"{root / 'meta/episodes'}: found no column {column!r} or no video_path in info.json, expected both for the "
            f"video feature {key!r}; copy meta/ again"
        )
    place = {n: row[f"videos/{key}/{n}"] for n in ("chunk_index", "file_index")}
    return root / info.video_path.format(video_key=key, **place), float(row[column])


def _read_v2(root: Path, info: DatasetInfo) -> tuple[list[EpisodeEntry], dict[int, str]]:
    tasks = {t["task_index"]: t["task"] for t in _json_lines(root / "meta/tasks.jsonl")}
    entries = []
    for row in _json_lines(root / "meta/episodes.jsonl"):
        index = row["episode_index"]
        place = {"episode_chunk": index // info.chunks_size, "episode_index": index}
        videos = {k: (root / (info.video_path or "").format(video_key=k, **place), 0.0) for k in info.video_keys}
        data = root / info.data_path.format(**place)
        entries.append(EpisodeEntry(index, row["length"], tuple(row.get("tasks") or ()), data, 0, videos))
    return sorted(entries, key=lambda e: e.index), tasks


def _json_lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    except FileNotFoundError as error:
        raise ReverieError(
            f"{path}: found no such file, expected one of LeRobotDataset v2.1; copy meta/ again"
        ) from error
    except json.JSONDecodeError as error:
        raise ReverieError(f"{path}: found a broken line ({error}), expected JSON lines; copy meta/ again") from error
