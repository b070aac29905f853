"""Dataset: a LeRobotDataset on disk (v3.0, v2.x) as episodes, ours or a stranger's.

Ours come back exactly as they were written. A stranger's have one frame a row, the deduced specs of `deduce`, and
success None where no column tells it. What people labelled afterwards (`labels`), and cameras that were fitted afterwards
(`calibration`), are laid over both.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from reverie.core import ActionSpec, Episode, ObservationSpec, ReverieError
from reverie.data import layout
from reverie.data.calibration import laid_over, read_calibration, with_matrices
from reverie.data.deduce import SUCCESS_COLUMNS, camera_features, deduce_specs
from reverie.data.entries import EpisodeEntry, read_entries
from reverie.data.episode_info import EpisodeInfo
from reverie.data.episode_rows import EpisodeRows, in_order
from reverie.data.labels import labelled, read_labels
from reverie.data.metadata import DatasetInfo, read_info
from reverie.data.rows import RowReader

Specs = tuple[ObservationSpec, ActionSpec]
_SAMPLE_BYTES = 1 << 16


def open_dataset(root: Path | str, specs: Specs | None = None) -> "Dataset":
    """Read the metadata of the data set at `root`. `specs` replace those of its info.json, or the deduced ones.

    Errors: ReverieError for a missing or damaged file, specs that are none, or a version that is not known.
    """
    root = Path(root)
    info = read_info(root)
    entries, tasks = read_entries(root, info)
    return Dataset(root, info, entries, tasks, specs)


class Dataset:
    """`len`, iteration and `episode(i)`. May be pickled to other processes.

    specs_deduced: True where the specs are guesses from a stranger's features: good to look at, not to train on.
    """

    def __init__(
        self, root: Path, info: DatasetInfo, entries: list[EpisodeEntry], tasks: dict[int, str], specs: Specs | None
    ) -> None:
        self.root, self.info, self.tasks = root, info, tasks
        self._entries, self._reader = entries, RowReader()
        self._labels, self.calibration = read_labels(root), read_calibration(root)
        self.specs_deduced = specs is None and info.own is None
        self.observation_spec, self.action_spec = specs or _specs_of(root, info)
        if self.calibration is not None:
            self.observation_spec = with_matrices(self.observation_spec)
        self.cameras = in_order(camera_features(info), self.observation_spec.camera_names)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Episode]:
        return (self.episode(i) for i in range(len(self)))

    def episode(self, index: int, *, images: bool = True, depth: bool = True) -> Episode:
        """`images` and `depth` False leave those pictures out, which is faster (the specs still name them).

        Errors: ReverieError that names the file, for an index that is not there and for damaged or infinite values.
        """
        rows = self._rows(index, self._columns(images, depth))
        info = labelled(_info_of(self.root, rows), self._labels, index, self.root)
        seen = rows.observations(self.cameras if images else {}, self.observation_spec.extras)
        return Episode(
            observations=laid_over(seen, self.calibration, self.observation_spec),
            frame_steps=rows.frame_steps(),
            actions=rows.actions(info.n_actions),
            observation_spec=self.observation_spec,
            action_spec=self.action_spec,
            instruction=info.instruction,
            success=info.success,
            success_time_s=info.success_time_s,
            scene=info.scene,
            events=rows.record.core_events if rows.record else (),
            provenance=info.provenance,
        )

    def episode_info(self, index: int) -> EpisodeInfo:
        """Of ours without reading rows, of a stranger's from its success column."""
        entry = self._entry(index)
        record = entry.record()
        names = [n for n in SUCCESS_COLUMNS if n in self.info.features][:1]
        own = EpisodeInfo.of_record(record) if record is not None else _info_of(self.root, self._rows(index, names))
        return labelled(own, self._labels, index, self.root)

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

    def _columns(self, images: bool, depth: bool) -> list[str]:
        wanted = {
            key: (depth if feature.is_depth else images) if feature.is_picture else feature.is_numeric
            for key, feature in self.info.features.items()
            if feature.dtype != "video"
        }
        return [key for key, is_wanted in wanted.items() if is_wanted]

    def _rows(self, index: int, columns: list[str]) -> EpisodeRows:
        entry = self._entry(index)
        marked = [c for c in dict.fromkeys([*columns, "episode_index"]) if c in self.info.features]
        table = self._reader.rows(entry.data_path, entry.first_row, entry.length, marked)
        lacking = [c for c in marked if c not in table.column_names]
        if lacking:
            raise ReverieError(f"{entry.data_path}: found no column {lacking}, expected every feature of info.json")
        there = set(table["episode_index"].to_pylist()) if "episode_index" in marked else {index}
        if there != {index}:
            raise ReverieError(
                f"{entry.data_path}: found rows of episodes {sorted(there)} where meta/episodes places episode {index}; "
                "data and metadata differ: copy the whole data set again"
            )
        return EpisodeRows(self.root, self.info, entry, entry.record(), table.select(columns))


def _info_of(root: Path, rows: EpisodeRows) -> EpisodeInfo:
    if rows.record is not None:
        return EpisodeInfo.of_record(rows.record)
    entry = rows.entry
    return EpisodeInfo(
        instruction=entry.tasks[0] if entry.tasks else "",
        n_frames=entry.length,
        n_actions=entry.length,
        success=rows.success(),
        provenance={"source": "lerobot", "dataset": root.name, "episode_index": entry.index},
    )


def _specs_of(root: Path, info: DatasetInfo) -> Specs:
    if info.own is None:
        return deduce_specs(info)
    where = f"{root / layout.INFO}, {layout.MARK}"
    return (
        ObservationSpec.from_dict(info.own.get("observation_spec"), f"{where}.observation_spec"),
        ActionSpec.from_dict(info.own.get("action_spec"), f"{where}.action_spec"),
    )
