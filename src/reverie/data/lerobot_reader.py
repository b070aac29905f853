"""Dataset: a LeRobotDataset on disk (v3.0, v2.x) as episodes, ours or a stranger's.

Ours come back exactly as they were written. A stranger's have one frame a row, the deduced specs of `deduce`, and
success None where no column tells it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reverie.core import ActionSpec, Episode, Observations, ObservationSpec, ReverieError
from reverie.data import layout
from reverie.data.deduce import STATE, SUCCESS_COLUMNS, camera_features, deduce_specs, extra_features
from reverie.data.entries import EpisodeEntry, read_entries
from reverie.data.episode_info import EpisodeInfo
from reverie.data.features import to_numpy
from reverie.data.metadata import DatasetInfo, read_info
from reverie.data.pixels import decode_stack
from reverie.data.record import EpisodeRecord
from reverie.data.rows import RowReader
from reverie.data.video import read_frames

Value = TypeVar("Value")
Specs = tuple[ObservationSpec, ActionSpec]
_SAMPLE_BYTES = 1 << 16


def open_dataset(root: Path | str, specs: Specs | None = None) -> "Dataset":
    """Read the metadata of the data set at `root`. `specs` replace those of its info.json, or the deduced ones.

    Errors: ReverieError for a missing or damaged file or a version that is not known.
    """
    root = Path(root)
    info = read_info(root)
    entries, tasks = read_entries(root, info)
    return Dataset(root, info, entries, tasks, specs)


class Dataset:
    """`len`, iteration and `episode(i)`. May be pickled to other processes.

    specs_deduced: True where the specs are guesses from a stranger's features.
    """

    def __init__(
        self, root: Path, info: DatasetInfo, entries: list[EpisodeEntry], tasks: dict[int, str], specs: Specs | None
    ) -> None:
        self.root, self.info, self.tasks = root, info, tasks
        self._entries, self._reader = entries, RowReader()
        self.specs_deduced = specs is None and info.own is None
        self.observation_spec, self.action_spec = specs or _specs_of(info)
        self.cameras = _in_order(camera_features(info), self.observation_spec.camera_names)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Episode]:
        return (self.episode(i) for i in range(len(self)))

    def episode(self, index: int, *, images: bool = True) -> Episode:
        """`images` False leaves `observations.images` and depth out (the spec still names the cameras)."""
        entry, record = self._entry(index), self._entry(index).record()
        columns = self._columns(images)
        table = self._rows(entry, columns)
        shown = self._shown_rows(table, entry)
        observations = Observations(
            images={c: self._pictures(k, table, shown, entry) for c, k in self.cameras.items()} if images else {},
            time_s=self._time_s(table)[shown],
            instructions=record.row_instructions if record else (),
            commanded=self._vectors("observation.commanded", table, shown) if record else None,
            measured=self._vectors("observation.measured" if record else STATE, table, shown),
            extras=self._extras(table, shown, entry, record, images),
        )
        actions = self._vectors("action", table, slice(None))
        assert actions is not None
        info = self._info(entry, record, table)
        return Episode(
            observations=observations,
            frame_steps=shown,
            actions=actions[: info.n_actions],
            observation_spec=self.observation_spec,
            action_spec=self.action_spec,
            instruction=info.instruction,
            success=info.success,
            success_time_s=info.success_time_s,
            scene=info.scene,
            events=record.core_events if record else (),
            provenance=info.provenance,
        )

    def episode_info(self, index: int) -> EpisodeInfo:
        """Reads rows of a stranger's data set only, and of those only the success column."""
        entry = self._entry(index)
        record = entry.record()
        names = [n for n in SUCCESS_COLUMNS if n in self.info.features][:1]
        return self._info(entry, record, self._rows(entry, names) if names and record is None else None)

    @property
    def content_hash(self) -> str:
        """Of the metadata, and of the size, beginning and end (a parquet's footer) of every data and video file."""
        digest = hashlib.blake2b(digest_size=12)
        paths = (p for folder in ("meta", "data", "videos") for p in (self.root / folder).rglob("*"))
        for path in sorted(p for p in paths if p.is_file()):
            size = path.stat().st_size
            digest.update(f"{path.relative_to(self.root)} {size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(_SAMPLE_BYTES))
                file.seek(max(0, size - _SAMPLE_BYTES), os.SEEK_SET)
                digest.update(file.read())
        return digest.hexdigest()

    def _entry(self, index: int) -> EpisodeEntry:
        if not 0 <= index < len(self):
            raise ReverieError(
                f"{self.root}: found {len(self)} episodes, asked for episode {index}; give 0..{len(self) - 1}"
            )
        return self._entries[index]

    def _columns(self, images: bool) -> list[str]:
        return [
            key
            for key, feature in self.info.features.items()
            if feature.dtype not in ("video", "string") and (images or not feature.is_picture)
        ]

    def _rows(self, entry: EpisodeEntry, columns: list[str]) -> pa.Table:
        marked = [*columns, "episode_index"] if "episode_index" not in columns else columns
        marked = [c for c in marked if c in self.info.features]
        table = self._reader.rows(entry.data_path, entry.first_row, entry.length, marked)
        lacking = [c for c in marked if c not in table.column_names]
        if lacking:
            raise ReverieError(f"{entry.data_path}: found no column {lacking}, expected every feature of info.json")
        if "episode_index" in marked and set(table["episode_index"].to_pylist()) != {entry.index}:
            raise ReverieError(
                f"{entry.data_path}: found rows of episodes {sorted(set(table['episode_index'].to_pylist()))} where "
                f"meta/episodes places episode {entry.index}; data and metadata differ: copy the whole data set again"
            )
        return table

    def _values(self, key: str, table: pa.Table) -> NDArray[Any]:
        return to_numpy(table[key], self.info.features[key], f"{self.root}, column {key!r}")

    def _shown_rows(self, table: pa.Table, entry: EpisodeEntry) -> NDArray[np.int64]:
        """[F]: the rows at which a new frame was taken; they are the frames' steps."""
        if entry.own is None:
            return np.arange(entry.length, dtype=np.int64)
        return np.flatnonzero(self._values("frame_age", table) == 0)

    def _time_s(self, table: pa.Table) -> NDArray[np.float64]:
        key = "observation.time_s" if "observation.time_s" in self.info.features and self.info.own else "timestamp"
        return self._values(key, table).astype(np.float64, copy=False)

    def _vectors(self, key: str, table: pa.Table, rows: Any) -> NDArray[np.float32] | None:
        """[n, D], also where D is 1 and the column holds scalars."""
        if key not in self.info.features:
            return None
        values: NDArray[Any] = self._values(key, table)[rows]
        return np.asarray(values.reshape(len(values), -1), dtype=np.float32)

    def _pictures(self, key: str, table: pa.Table, shown: NDArray[np.int64], entry: EpisodeEntry) -> NDArray[Any]:
        feature = self.info.features[key]
        if feature.dtype == "video":
            path, start_s = entry.videos[key]
            return read_frames(path, start_s, self.info.fps, shown.tolist())
        cells = table[key].combine_chunks().field("bytes").take(pa.array(shown)).to_pylist()
        where = f"{entry.data_path}, episode {entry.index}, {key}"
        return decode_stack(cells, where, depth=feature.is_depth)

    def _extras(
        self, table: pa.Table, shown: NDArray[np.int64], entry: EpisodeEntry, record: EpisodeRecord | None, images: bool
    ) -> dict[str, NDArray[Any]]:
        if record is None:
            offered = extra_features(self.info).items()
            wanted = {n: k for n, k in offered if images or not self.info.features[k].is_picture}
            return {name: self._extra(key, table, shown, entry) for name, key in wanted.items()}
        found = {}
        for name, (dtype, shape) in _in_order(record.extras, self.observation_spec.extras).items():
            key = layout.EXTRAS + name
            if 0 in shape:
                found[name] = np.empty((len(shown), *shape), dtype=dtype)
            elif not self.info.features[key].is_picture:
                wide = self.info.features[key].shape if shape else ()
                values = self._extra(key, table, shown, entry).reshape(len(shown), *wide)
                found[name] = values[(slice(None), *(slice(0, size) for size in shape))]
            elif images:
                found[name] = self._pictures(key, table, shown, entry)
        return found

    def _extra(self, key: str, table: pa.Table, shown: NDArray[np.int64], entry: EpisodeEntry) -> NDArray[Any]:
        if self.info.features[key].is_picture:
            return self._pictures(key, table, shown, entry)
        return self._values(key, table)[shown]

    def _info(self, entry: EpisodeEntry, record: EpisodeRecord | None, table: pa.Table | None) -> EpisodeInfo:
        if record is not None:
            return EpisodeInfo(
                record.instruction,
                record.n_frames,
                record.n_actions,
                record.success,
                record.success_time_s,
                record.core_scene,
                record.provenance,
            )
        provenance = {"source": "lerobot", "dataset": self.root.name, "episode_index": entry.index}
        instruction = entry.tasks[0] if entry.tasks else ""
        return EpisodeInfo(instruction, entry.length, entry.length, _success(table), provenance=provenance)


def _in_order(values: Mapping[str, Value], first: Sequence[str]) -> dict[str, Value]:
    """As the spec lists them, the rest after that: the order of cameras is that of their tiles."""
    return {k: values[k] for k in (*(f for f in first if f in values), *(v for v in values if v not in first))}


def _success(table: pa.Table | None) -> bool | None:
    """True if any row says so; None where no row says anything."""
    column = next((table[n] for n in SUCCESS_COLUMNS if n in table.column_names), None) if table is not None else None
    told = [value for value in column.to_pylist() if value is not None] if column is not None else []
    return any(bool(value) for value in told) if told else None


def _specs_of(info: DatasetInfo) -> Specs:
    if info.own is None:
        return deduce_specs(info)
    return (
        ObservationSpec.from_dict(info.own["observation_spec"]),
        ActionSpec.from_dict(info.own["action_spec"]),
    )
