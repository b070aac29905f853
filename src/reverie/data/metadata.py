"""The small files under meta/: info.json, stats.json, tasks.parquet; written for v3.0, read with clear errors."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reverie.core import ReverieError
from reverie.data import layout
from reverie.data.features import Feature
from reverie.data.plan import Plan
from reverie.data.statistics import Stats, stats_to_json

_TASK_INDEX = "task"


@dataclass(frozen=True)
class DatasetInfo:
    """info.json. `own` is the value under our extra key, None in a stranger's data set."""

    version: str
    fps: float
    robot_type: str
    total_episodes: int
    total_frames: int
    features: Mapping[str, Feature]
    data_path: str
    video_path: str | None
    chunks_size: int
    own: Mapping[str, Any] | None

    @property
    def video_keys(self) -> list[str]:
        """Features without a column: their frames lie in video files."""
        return [k for k, f in self.features.items() if f.dtype == "video"]


def write_info(root: Path, plan: Plan, n_rows: int, content: str) -> None:
    """info.json of v3.0. n_rows: of all episodes; content: the hash of what they hold."""
    hz = plan.specs["action_spec"]["control_hz"]
    value = {
        "codebase_version": layout.VERSION,
        "fps": int(hz) if hz == int(hz) else hz,
        "robot_type": plan.robot_type,
        "total_episodes": len(plan.indices),
        "total_frames": n_rows,
        "total_tasks": len(plan.tasks),
        "chunks_size": layout.CHUNK_FILES,
        "data_files_size_in_mb": layout.DATA_FILE_MB,
        "video_files_size_in_mb": layout.VIDEO_FILE_MB,
        "data_path": layout.DATA,
        "video_path": layout.VIDEO if plan.video_keys else None,
        "splits": {"train": f"0:{len(plan.indices)}"},
        "features": {k: f.to_dict() for k, f in plan.features.items()},
        layout.MARK: {"format": layout.RECORD_FORMAT, "extras": plan.extras, "content": content, **plan.specs},
    }
    write_json(root / layout.INFO, value)


def write_stats(root: Path, stats: Mapping[str, Stats]) -> None:
    """stats.json: column -> statistics over the whole data set."""
    write_json(root / layout.STATS, {k: stats_to_json(s) for k, s in stats.items()})


def write_tasks(root: Path, tasks: Mapping[str, int]) -> None:
    """A pandas frame whose INDEX is the task's text: the schema says so in pandas' own metadata."""
    pandas = {
        "index_columns": [_TASK_INDEX],
        "column_indexes": [
            {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
        ],
        "columns": [
            _pandas_column("task_index", "int64", "int64"),
            _pandas_column(_TASK_INDEX, "unicode", "object"),
        ],
    }
    table = pa.table({"task_index": pa.array(list(tasks.values()), pa.int64()), _TASK_INDEX: pa.array(list(tasks))})
    path = root / layout.TASKS
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)


def _pandas_column(name: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }


def write_json(path: Path, value: Any) -> None:
    """Into a folder that is renamed when it is whole: this write alone is not atomic."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def read_info(root: Path) -> DatasetInfo:
    """info.json of a LeRobotDataset v3.0 or v2.x. Errors: ReverieError that names the file and the entry."""
    path = root / layout.INFO
    value = read_json(path, _missing_hint(root))
    if not isinstance(value, Mapping):
        raise ReverieError(f"{path}: found a {type(value).__name__}, expected an object; copy the data set again")
    lacking = [k for k in ("codebase_version", "fps", "features", "total_episodes") if k not in value]
    if lacking:
        raise ReverieError(
            f"{root / layout.INFO}: found no {', '.join(lacking)}, expected the keys of a LeRobotDataset; "
            "is this the right folder?"
        )
    if not str(value["codebase_version"]).startswith(("v3.", "v2.")):
        raise ReverieError(
            f"{root / layout.INFO}: found codebase_version {value['codebase_version']!r}, expected 'v3.0', 'v2.1' or "
            "'v2.0'; convert it with LeRobot's own scripts first"
        )
    fps = value["fps"]
    if not isinstance(fps, int | float) or isinstance(fps, bool) or not (fps > 0 and math.isfinite(fps)):
        raise ReverieError(f"{path}: found fps {fps!r}, expected a number above 0; correct it")
    for name in ("total_episodes", "total_frames", "chunks_size"):
        if not isinstance(value.get(name) or 0, int):
            raise ReverieError(f"{path}: found {name} {value[name]!r}, expected a whole number; correct it")
    return DatasetInfo(
        version=value["codebase_version"],
        fps=float(fps),
        robot_type=value.get("robot_type") or "unknown",
        total_episodes=value["total_episodes"],
        total_frames=value.get("total_frames", 0),
        features=_features(path, value["features"]),
        data_path=value.get("data_path") or layout.DATA,
        video_path=value.get("video_path"),
        chunks_size=value.get("chunks_size") or layout.CHUNK_FILES,
        own=_own(path, value.get(layout.MARK)),
    )


def _features(path: Path, features: Any) -> dict[str, Feature]:
    if not isinstance(features, Mapping):
        raise ReverieError(f"{path}: found features {str(features)[:80]!r}, expected an object; copy meta/ again")
    for name, value in features.items():
        shape = value.get("shape") or [1] if isinstance(value, Mapping) else None
        if shape is None or not isinstance(value.get("dtype"), str) or not all(isinstance(n, int) for n in shape):
            raise ReverieError(
                f"{path}: found {str(value)[:80]} for feature {name!r}, expected its dtype and its shape"
            )
    return {k: Feature.from_dict(f) for k, f in features.items()}


def _own(path: Path, own: Any) -> Mapping[str, Any] | None:
    if own is not None and not isinstance(own, Mapping):
        raise ReverieError(f"{path}: found {str(own)[:80]!r} for {layout.MARK}, expected an object; copy meta/ again")
    if own is not None and own.get("format") != layout.RECORD_FORMAT:
        raise ReverieError(
            f"{path}: found {layout.MARK}.format {own.get('format')!r}, expected {layout.RECORD_FORMAT}; "
            "update the program or delete that key to read it as a plain LeRobotDataset"
        )
    return own if own is None else dict(own)


def _missing_hint(root: Path) -> str:
    staging = layout.staging_folder(root)
    if staging.is_dir():
        return f"its collection is unfinished ({staging} holds staged episodes): run the same collection again"
    return "give the folder that holds meta/ and data/"


def read_json(path: Path, missing_hint: str) -> Any:
    """The value in a JSON file. Errors: ReverieError; `missing_hint` says what to do where there is no such file."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReverieError(f"{path}: found no such file; {missing_hint}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ReverieError(f"{path}: found broken JSON ({error}), expected a whole file; copy it again") from error


def read_tasks(path: Path) -> dict[int, str]:
    """task_index -> text. The text is the index of the pandas frame, whatever its name is."""
    table = read_parquet(path)
    texts = [
        n for n in table.column_names if pa.types.is_string(table[n].type) or pa.types.is_large_string(table[n].type)
    ]
    if "task_index" not in table.column_names or not texts:
        raise ReverieError(
            f"{path}: found columns {table.column_names}, expected task_index and the tasks as the index"
        )
    text = _TASK_INDEX if _TASK_INDEX in texts else texts[-1]
    return dict(zip(table["task_index"].to_pylist(), table[text].to_pylist(), strict=True))


def read_parquet(path: Path, skip: str | None = None) -> pa.Table:
    """A whole small parquet file, without the columns whose names begin with `skip`."""
    if not path.is_file():
        raise ReverieError(f"{path}: found no such file, expected a parquet file; copy the data set again")
    try:
        with pq.ParquetFile(path) as file:
            names = [n for n in file.schema_arrow.names if skip is None or not n.startswith(skip)]
            return file.read(columns=names, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise ReverieError(unreadable(path, error)) from error


def unreadable(path: Path, error: Exception) -> str:
    """The message for a parquet file that pyarrow refuses."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"{path}: found {path.stat().st_size} bytes that are no readable parquet file ({first}), expected a complete one; "
        "it is truncated or damaged: copy it again"
    )
