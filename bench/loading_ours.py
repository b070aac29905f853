"""Our side of `loading.py`: the same windows from the frame cache, and one by one from a data set as it was written.

A window is all cameras and the measured state at one control step, and the chunk of actions from there on. Batches are what
LeRobot hands out: pictures by feature [B, 3, H, W], float32 in 0..1 where they were images and uint8 where they were video.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.data.cache import FrameCache
from reverie.data.entries import EpisodeEntry, read_entries
from reverie.data.features import to_numpy
from reverie.data.layout import IMAGES
from reverie.data.metadata import read_info
from reverie.data.pixels import decode_rgb
from reverie.data.rows import RowReader
from reverie.data.video import read_frames
from reverie.training.selection import Rows, rows_of
from reverie.training.windows import Window, chunk, observe, observed_frames

STATE, ACTION = "observation.state", "action"


class Cached:
    """From the memory-mapped frame cache, with the functions that training reads it with."""

    def __init__(self, cache: FrameCache, horizon: int, floats: bool) -> None:
        spec = cache.observation_spec
        self.cache, self.floats = cache, floats
        self.window = Window(spec.camera_names, (), spec.measured, 1, 1, horizon, intended=False)
        self.rows = rows_of(cache, list(range(len(cache.episodes))), (), 1.0, 0.0)

    def batch(self, chosen: NDArray[np.int64]) -> dict[str, Tensor]:
        frames = observed_frames(self.cache, self.rows, chosen, self.window)
        seen = observe(self.cache, frames, self.window)
        actions, _ = chunk(self.cache, self.rows, chosen, self.window)
        images = {f"{IMAGES}{c}": seen[f"images.{c}"][:, 0] for c in self.window.cameras}
        return as_lerobot(images, seen["state"][:, 0], actions, self.floats)


class Written:
    """From the files, with the readers that build the cache, every window on its own: no training reads like this."""

    def __init__(self, root: Path, horizon: int, floats: bool) -> None:
        self.info, self.horizon, self.floats = read_info(root), horizon, floats
        self.entries, _ = read_entries(root, self.info)
        self.cameras = [k for k, f in self.info.features.items() if f.is_picture]
        self.columns = [ACTION, STATE, *(c for c in self.cameras if self.info.features[c].dtype == "image")]
        self.reader = RowReader()

    def batch(self, places: "Places") -> dict[str, Tensor]:
        windows = [self._window(self.entries[e], s) for e, s in zip(places.episodes, places.steps, strict=True)]
        columns = {k: np.stack([w[k] for w in windows]) for k in windows[0]}
        return as_lerobot({c: columns[c] for c in self.cameras}, columns[STATE], columns[ACTION], self.floats)

    def _window(self, entry: EpisodeEntry, step: int) -> dict[str, NDArray[np.generic]]:
        table = self.reader.rows(entry.data_path, entry.first_row, entry.length, self.columns)
        actions, states = (to_numpy(table[n], self.info.features[n], n) for n in (ACTION, STATE))
        ahead = np.minimum(step + np.arange(self.horizon), entry.length - 1)
        found: dict[str, NDArray[np.generic]] = {STATE: states[step], ACTION: actions[ahead]}
        for camera in self.cameras:
            if camera in entry.videos:
                path, start_s = entry.videos[camera]
                found[camera] = read_frames(path, start_s, self.info.fps, [step])[0]
            else:
                found[camera] = decode_rgb(table[camera][step].as_py()["bytes"], camera)
        return found


@dataclass(frozen=True)
class Places:
    """Where windows begin: episodes, control steps in them, and the data set's rows that those are; each [B]."""

    episodes: NDArray[np.int64]
    steps: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, cache: FrameCache, rows: Rows, chosen: NDArray[np.int64]) -> "Places":
        """An episode of N actions has N + 1 rows."""
        episodes, steps = rows.episodes[chosen], cache.frame_steps[rows.frames[chosen]]
        return cls(episodes, steps, cache.action_offsets[episodes] + episodes + steps)


def as_lerobot(images: dict[str, NDArray[np.uint8]], state: NDArray[np.float32], actions: NDArray[np.float32], floats: bool) -> dict[str, Tensor]:  # fmt: skip
    pixels = {k: torch.from_numpy(v).permute(0, 3, 1, 2).contiguous() for k, v in images.items()}
    scaled = {k: v.float().div_(255) for k, v in pixels.items()} if floats else pixels
    return {**scaled, "state": torch.from_numpy(state), "action": torch.from_numpy(actions)}
