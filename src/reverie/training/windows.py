"""From frame numbers to arrays: the observation window before a frame and the chunk of actions after it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.checkpoints.backbone import Robot
from reverie.core import INTENDED
from reverie.data.cache import FrameCache
from reverie.training.selection import Rows


@dataclass(frozen=True)
class Window:
    """What a policy sees and predicts: cameras in order, names of state, frames looked back, control steps ahead; intended:
    those that were meant, where a recording says so (the extra `intended`), not what was done."""

    cameras: tuple[str, ...]
    commanded: tuple[str, ...]
    measured: tuple[str, ...]
    n_obs_steps: int
    obs_stride: int
    horizon: int
    intended: bool = True

    @property
    def robot(self) -> Robot:
        return self.cameras, (*self.commanded, *self.measured)


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


def chunk(cache: FrameCache, rows: Rows, chosen: NDArray[np.int64], window: Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:  # fmt: skip
    """Actions [B, T, A] from each frame on, and which of them exist [B, T]; past the end the last action is repeated. What
    was intended, as far ahead as the data says it and if the window wants that; further on, what was done."""
    episodes, frames = rows.episodes[chosen], rows.frames[chosen]
    first, end = cache.action_offsets[episodes], cache.action_offsets[episodes + 1]
    wanted = (first + cache.frame_steps[frames])[:, None] + np.arange(window.horizon)
    actions, valid = np.array(cache.actions[np.minimum(wanted, end[:, None] - 1)]), wanted < end[:, None]
    if window.intended and INTENDED in cache.frames:
        intended = cache.frames[INTENDED][frames, : window.horizon]
        said, n = np.isfinite(intended).all((1, 2)), intended.shape[1]
        actions[said, :n], valid[said, :n] = intended[said], True
    return actions, valid


def imitated_actions(cache: FrameCache, episodes: list[int], intended: bool) -> NDArray[np.float32]:
    """[N, A]: all actions of the episodes, once; of frames that say what was intended, the first of that."""
    executed = np.concatenate([cache.actions[slice(*cache.action_offsets[e : e + 2])] for e in episodes])
    if not intended or INTENDED not in cache.frames:
        return executed
    first = np.concatenate([cache.frames[INTENDED][slice(*cache.frame_offsets[e : e + 2]), 0] for e in episodes])
    said = np.isfinite(first).all(1)
    return first[said] if said.any() else executed
