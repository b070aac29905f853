"""From frame numbers to arrays: the observation window before a frame and the chunk of actions after it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.data.cache import FrameCache
from reverie.training.selection import Rows


@dataclass(frozen=True)
class Window:
    """What a policy sees and predicts: cameras in order, names of state, frames looked back, control steps ahead."""

    cameras: tuple[str, ...]
    commanded: tuple[str, ...]
    measured: tuple[str, ...]
    n_obs_steps: int
    obs_stride: int
    horizon: int


def observed_frames(cache: FrameCache, rows: Rows, chosen: NDArray[np.int64], window: Window) -> NDArray[np.int64]:
    """[B, To] frame numbers, the newest last; before an episode's first frame, that frame again."""
    back = window.obs_stride * np.arange(window.n_obs_steps - 1, -1, -1)
    first = cache.frame_offsets[rows.episodes[chosen]]
    return np.asarray(np.maximum(rows.frames[chosen, None] - back, first[:, None]))


def observe(cache: FrameCache, frames: NDArray[np.int64], window: Window) -> dict[str, NDArray[Any]]:
    """Images [B, To, H, W, 3] by `images.<camera>` and state [B, To, D] at the frames [B, To]."""
    images = {f"images.{c}": np.ascontiguousarray(cache.images[c][frames]) for c in window.cameras}
    return {**images, "state": state_at(cache, frames, window)}


def state_at(cache: FrameCache, frames: NDArray[np.int64], window: Window) -> NDArray[np.float32]:
    """[..., D]: commanded numbers, then measured ones, by name."""
    parts = [np.zeros((*frames.shape, 0), np.float32)]
    for part in ("commanded", "measured"):
        wanted, have = getattr(window, part), getattr(cache.observation_spec, part)
        if wanted:
            parts.append(cache.frames[part][frames][..., [have.index(n) for n in wanted]])
    return np.concatenate(parts, axis=-1).astype(np.float32)


def chunk(cache: FrameCache, rows: Rows, chosen: NDArray[np.int64], horizon: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:  # fmt: skip
    """Actions [B, T, A] from each frame on, and which of them exist [B, T]; past the end the last action is repeated."""
    episodes = rows.episodes[chosen]
    first, end = cache.action_offsets[episodes], cache.action_offsets[episodes + 1]
    wanted = (first + cache.frame_steps[rows.frames[chosen]])[:, None] + np.arange(horizon)
    return np.asarray(cache.actions[np.minimum(wanted, end[:, None] - 1)]), wanted < end[:, None]
