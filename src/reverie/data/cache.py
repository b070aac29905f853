"""FrameCache: every frame of a data set decoded, as memory-mapped arrays, for training.

It is derived from the data set and keyed by its content: delete it at any time. It is built in a temporary folder and
renamed, so a killed build leaves nothing that looks complete.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.calibration import Calibration
from reverie.core import ActionSpec, ObservationSpec, ReverieError
from reverie.core.processes import in_processes
from reverie.data.cache_layout import ArraySpec, CacheLayout, cache_arrays, layout_of
from reverie.data.episode_info import EpisodeInfo
from reverie.data.lerobot_reader import Dataset, Specs, open_dataset
from reverie.data.plan import Progress
from reverie.data.whole import whole_folder

FORMAT = 1
_INDEX = "index.json"


@dataclass(frozen=True)
class FrameCache:
    """E episodes, F_total frames, N_total actions, one after the other.

    images: camera -> uint8 [F_total, H, W, 3]. frames: `time_s`, `commanded`, `measured` and every extra by its name,
    [F_total, ...]; floats of scenes with fewer objects than others are filled with NaN. frame_steps: int64 [F_total],
    control steps since reset. actions: float32 [N_total, A]. Episode e has frames frame_offsets[e] up to
    frame_offsets[e + 1] and actions action_offsets[e] up to action_offsets[e + 1]. calibration: of its cameras, where they were
    fitted afterwards.
    """

    path: Path
    images: dict[str, NDArray[np.uint8]]
    frames: dict[str, NDArray[Any]]
    frame_steps: NDArray[np.int64]
    actions: NDArray[np.float32]
    frame_offsets: NDArray[np.int64]
    action_offsets: NDArray[np.int64]
    episodes: list[EpisodeInfo]
    observation_spec: ObservationSpec
    action_spec: ActionSpec
    calibration: Calibration | None = None


def open_cache(
    root: Path | str,
    cache_dir: Path | str | None = None,
    *,
    progress: Progress | None = None,
    processes: int = 1,
    depth: bool = False,
    specs: Specs | None = None,
) -> FrameCache:
    """The cache of the data set at `root`, built if it is not there. `cache_dir` defaults to `<root>.cache`.

    depth: also the depth maps. specs: as for `open_dataset`. Errors: ReverieError if the data set is damaged, its
    extras do not fit into arrays, or its specs would be guesses: what is trained on them would pass them on as facts.
    """
    dataset = open_dataset(root, specs)
    if dataset.specs_deduced:
        raise ReverieError(
            f"{root}: nothing in it says what its actions mean (units, modes, frame, signs); make a data set that does: "
            f"reverie data import lerobot {root} --specs FILE --out FOLDER"
        )
    folder = Path(cache_dir) if cache_dir else dataset.root.with_name(dataset.root.name + ".cache")
    path = folder / f"{dataset.content_hash}{'-depth' if depth else ''}-{FORMAT}"
    if not (path / _INDEX).is_file():
        _build_whole(dataset, path, depth, progress, processes)
    return _load(path, dataset)


def _build_whole(dataset: Dataset, path: Path, depth: bool, progress: Progress | None, processes: int) -> None:
    try:
        with whole_folder(path) as temporary:
            _build(dataset, temporary, depth, progress, processes)
    except OSError:
        if not (path / _INDEX).is_file():  # otherwise another process was faster, with the same content
            raise


def _build(dataset: Dataset, folder: Path, depth: bool, progress: Progress | None, processes: int) -> None:
    cache = layout_of(dataset, depth)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ReverieError(f"{folder.parent}: cannot be written ({error}); give another cache_dir") from error
    for name, array in cache.arrays.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.dtype(array.dtype), array.shape)
    if processes <= 1:
        filled: Iterable[int] = (_fill(dataset, cache, folder, depth, index) for index in range(len(dataset)))
    else:
        filled = in_processes(processes, _fill_kept, range(len(dataset)), _keep, dataset, cache, folder, depth)
    for count, _ in enumerate(filled, start=1):
        if progress:
            progress(count, len(dataset))
    (folder / _INDEX).write_text(json.dumps(cache.to_dict()))


_KEPT: list[Any] = []
"""In a worker process: the data set, the layout, the folder and whether depth is wanted; sent once."""


def _keep(*kept: Any) -> None:
    _KEPT[:] = kept


def _fill_kept(index: int) -> int:
    dataset, cache, folder, depth = _KEPT
    return _fill(dataset, cache, folder, depth, index)


def _fill(dataset: Dataset, cache: CacheLayout, folder: Path, depth: bool, index: int) -> int:
    """Write one episode into its rows of every array. Returns its number."""
    episode = dataset.episode(index, depth=depth)
    frames = slice(cache.frame_offsets[index], cache.frame_offsets[index + 1])
    actions = slice(cache.action_offsets[index], cache.action_offsets[index + 1])
    for name, values in cache_arrays(episode, depth).items():
        array = cache.arrays.get(name)
        _check_fits(dataset, index, name, values, array)
        target = np.load(folder / f"{name}.npy", mmap_mode="r+")[actions if name == "actions" else frames]
        if values.shape == target.shape:
            target[...] = values
        else:
            target[...] = np.nan
            target[tuple(slice(0, size) for size in values.shape)] = values
    return index


def _check_fits(dataset: Dataset, index: int, name: str, values: NDArray[Any], array: ArraySpec | None) -> None:
    if array is not None and values.dtype == np.dtype(array.dtype) and values.ndim == len(array.shape):
        fits = all(v <= a for v, a in zip(values.shape[1:], array.shape[1:], strict=True))
        if fits and (values.dtype.kind == "f" or values.shape[1:] == array.shape[1:]):
            return
    wanted = "nothing" if array is None else f"{array.dtype} {list(array.shape[1:])}"
    raise ReverieError(
        f"{dataset.root}, episode {index}: {name} is {values.dtype} {list(values.shape[1:])} a frame, expected {wanted} as in "
        "the others; only floats may differ in shape: write the data set again with one shape"
    )


def _load(path: Path, dataset: Dataset) -> FrameCache:
    cache = CacheLayout.from_dict(json.loads((path / _INDEX).read_text()))
    arrays = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in cache.arrays}
    images = {name.removeprefix("images."): v for name, v in arrays.items() if name.startswith("images.")}
    others = {k: v for k, v in arrays.items() if not k.startswith("images.") and k not in ("frame_steps", "actions")}
    return FrameCache(
        path=path,
        images=images,
        frames={k.removeprefix("extras."): v for k, v in others.items()},
        frame_steps=arrays["frame_steps"],
        actions=arrays["actions"],
        frame_offsets=np.asarray(cache.frame_offsets, dtype=np.int64),
        action_offsets=np.asarray(cache.action_offsets, dtype=np.int64),
        episodes=cache.episodes,
        observation_spec=dataset.observation_spec,
        action_spec=dataset.action_spec,
        calibration=dataset.calibration,
    )
