"""What judging again needs, one small file per block: everything of its episodes but the pixels, which are in the clips.

`episodes/<block>.npz`: arrays under `<row>.<name>` and the rest as JSON under `meta`; no pickle. Extras above a thousand
numbers a frame (depth, say) are left out; their names are kept in the meta.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Episode, Event, Observations, ObservationSpec, ReverieError, Scene
from reverie.core.files import write_whole
from reverie.evaluation.clips import read_clip

MAX_NUMBERS_A_FRAME = 1000
Arrays = dict[str, NDArray[Any]]
Meta = list[dict[str, Any] | None]


def path_of(folder: Path, block_id: str) -> Path:
    return folder / "episodes" / f"{block_id}.npz"


Row = tuple[Arrays, dict[str, Any]]
"""One episode as it is stored: arrays by plain name, and the rest."""


def store(folder: Path, block_id: str, episodes: Sequence[Episode | None]) -> None:
    """Write the episodes of a block; None stands for a row that ended in an error."""
    store_rows(folder, block_id, [None if e is None else _row(e) for e in episodes])


def store_rows(folder: Path, block_id: str, rows: Sequence[Row | None]) -> None:
    """As `store`, of rows as `read_rows` gives them."""
    arrays = {f"{i}.{k}": v for i, row in enumerate(rows) if row is not None for k, v in row[0].items()}
    meta: Meta = [None if row is None else row[1] for row in rows]
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    _write(path_of(folder, block_id), arrays)


def read_rows(folder: Path, block_id: str, names: Sequence[str] | None = None) -> list[Row | None]:
    """The rows of a block as they are stored; of the arrays only `names`, where these are given."""
    arrays, meta = _read(folder, block_id, names)
    return [None if about is None else (_of_row(arrays, i), about) for i, about in enumerate(meta)]


def _row(episode: Episode) -> Row:
    every = arrays_of(episode)
    kept = {k: v for k, v in every.items() if v[0].size <= MAX_NUMBERS_A_FRAME}
    return kept, _meta(episode) | {"left_out": sorted(every.keys() - kept.keys())}


def _of_row(arrays: Arrays, row: int) -> Arrays:
    return {k.removeprefix(f"{row}."): v for k, v in arrays.items() if k.startswith(f"{row}.")}


def arrays_of(episode: Episode) -> Arrays:
    """Everything but images, under flat names."""
    seen = {k: v for k, v in episode.observations.arrays().items() if not k.startswith("images.")}
    return seen | {"actions": episode.actions, "frame_steps": episode.frame_steps}


def _meta(episode: Episode) -> dict[str, Any]:
    return {
        "observation_spec": episode.observation_spec.to_dict(),
        "action_spec": episode.action_spec.to_dict(),
        "instruction": episode.instruction,
        "success": episode.success,
        "success_time_s": episode.success_time_s,
        "scene": episode.scene.to_dict() if episode.scene else None,
        "events": [[e.name, e.time_s, dict(e.details)] for e in episode.events],
        "provenance": dict(episode.provenance),
    }


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a name, NumPy would add its own ending
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    write_whole(path, save)


def read_actions(folder: Path, block_id: str) -> list[NDArray[np.float32] | None]:
    """The executed actions [N, A] of each row of a block."""
    arrays, meta = _read(folder, block_id)
    return [None if m is None else arrays[f"{row}.actions"] for row, m in enumerate(meta)]


def read_episodes(folder: Path, block_id: str, clips: Mapping[int, str | None]) -> list[Episode]:
    """The episodes of the rows of `clips` as they were judged, with frames where a clip was kept (else no images)."""
    arrays, meta = _read(folder, block_id)
    return [_episode(folder, block_id, row, clip, arrays, meta) for row, clip in clips.items()]


def _episode(folder: Path, block_id: str, row: int, clip: str | None, arrays: Arrays, meta: Meta) -> Episode:
    about = meta[row] if row < len(meta) else None
    if about is None:
        raise ReverieError(f"{path_of(folder, block_id)}: no episode in row {row}")
    mine = _of_row(arrays, row)
    spec = ObservationSpec.from_dict(about["observation_spec"])
    images = read_clip(folder / clip, spec) if clip and spec.cameras else {}
    return Episode(
        observations=_observations(mine, images, about["instruction"]),
        frame_steps=mine["frame_steps"],
        actions=mine["actions"],
        observation_spec=spec,
        action_spec=ActionSpec.from_dict(about["action_spec"]),
        instruction=about["instruction"],
        success=about["success"],
        success_time_s=about["success_time_s"],
        scene=Scene.from_dict(about["scene"]) if about["scene"] else None,
        events=tuple(Event(*e) for e in about["events"]),
        provenance=about["provenance"],
    )


def _observations(mine: Arrays, images: Mapping[str, NDArray[np.uint8]], instruction: str) -> Observations:
    return Observations(
        images=images,
        time_s=mine["time_s"],
        instructions=(instruction,),
        commanded=mine.get("commanded"),
        measured=mine.get("measured"),
        extras={k.removeprefix("extras."): v for k, v in mine.items() if k.startswith("extras.")},
    )


def _read(folder: Path, block_id: str, names: Sequence[str] | None = None) -> tuple[Arrays, Meta]:
    path = path_of(folder, block_id)
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = [k for k in file.files if names is None or k == "meta" or k.partition(".")[2] in names]
            arrays = {k: file[k] for k in wanted}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ReverieError(f"{path}: the stored episodes cannot be read ({error}); restore the file, or evaluate into a new folder") from None  # fmt: skip
    meta: Meta = json.loads(arrays.pop("meta").tobytes())
    return arrays, meta
