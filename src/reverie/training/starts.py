"""Where sequences for the video world start: recorded frames, and frames that a video world dreamt at the same moments.

A dreamt start shows the model what its own mistakes look like after many frames (an object that stayed where it was taken
from, one that was lost on the way); what is asked of it next is still what was recorded. As in Bengio et al. 2015
("Scheduled Sampling"), whole episodes at a time: they are dreamt beforehand, with weights from before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import ReverieError
from reverie.data import FrameCache


@dataclass(frozen=True)
class Starts:
    """Rows count the frames of the recorded data set first, then those of each dreamt one. recorded [R]: for every row the
    recorded frame of its moment; begins [R]: the row of its episode's first frame."""

    caches: tuple[FrameCache, ...]
    recorded: NDArray[np.int64]
    begins: NDArray[np.int64]

    @classmethod
    def of(cls, cache: FrameCache, dreamt: Sequence[FrameCache] = ()) -> "Starts":
        """Errors: ReverieError if a dreamt episode does not follow the recorded one that it names."""
        recorded = [np.arange(len(cache.frame_steps)), *(_moments(cache, d) for d in dreamt)]
        begins, so_far = [], 0
        for c in (cache, *dreamt):
            begins.append(so_far + np.repeat(c.frame_offsets[:-1], np.diff(c.frame_offsets)))
            so_far += len(c.frame_steps)
        return cls((cache, *dreamt), np.concatenate(recorded), np.concatenate(begins))

    @property
    def n_recorded(self) -> int:
        return len(self.caches[0].frame_steps)

    def views(self, rows: NDArray[np.int64]) -> Tensor:
        """uint8 [B, V, 3, H, W]"""
        shape = next(iter(self.caches[0].images.values())).shape[1:]
        found = np.empty((len(rows), len(self.caches[0].images), *shape), np.uint8)
        begin = 0
        for cache in self.caches:
            end = begin + len(cache.frame_steps)
            mine = (rows >= begin) & (rows < end)
            for view, camera in enumerate(cache.observation_spec.camera_names if mine.any() else ()):
                found[mine, view] = cache.images[camera][rows[mine] - begin]
            begin = end
        return torch.from_numpy(np.ascontiguousarray(found.transpose(0, 1, 4, 2, 3)))

    def weights(self, recorded: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        """[R], from those of the recorded frames: dreamt ones have `share` of all, first frames excepted (nothing of them
        is dreamt)."""
        dreamt = (
            recorded[self.recorded[self.n_recorded :]] * (self.begins != np.arange(len(self.begins)))[self.n_recorded :]
        )
        if not dreamt.any():
            return np.concatenate([recorded, dreamt])
        return np.concatenate([recorded * (1 - share) / recorded.sum(), dreamt * share / dreamt.sum()])


def belongs(cache: FrameCache, dreamt: FrameCache) -> bool:
    """Was it dreamt from this data set? Its commands say so."""
    return all(_follows(cache, dreamt, episode) for episode in range(min(3, len(dreamt.episodes))))


def _moments(cache: FrameCache, dreamt: FrameCache) -> NDArray[np.int64]:
    if dreamt.observation_spec.cameras != cache.observation_spec.cameras:
        raise ReverieError(f"{dreamt.path.parent}: its cameras are not those of {cache.path.parent}")
    wrong = next((e for e in range(len(dreamt.episodes)) if not _follows(cache, dreamt, e)), None)
    if wrong is not None:
        raise ReverieError(
            f"{dreamt.path.parent}: episode {wrong} was not dreamt from {cache.path.parent}; give what `reverie data "
            "dream` made of this data set"
        )
    lengths = np.diff(dreamt.frame_offsets)
    firsts = [cache.frame_offsets[e.provenance["original"]] for e in dreamt.episodes]
    return np.concatenate([first + np.arange(n) for first, n in zip(firsts, lengths, strict=True)]).astype(np.int64)


def _follows(cache: FrameCache, dreamt: FrameCache, episode: int) -> bool:
    """Does it name an episode of the data set that has the same commands and frames at the same moments?"""
    original = dreamt.episodes[episode].provenance.get("original")
    if not isinstance(original, int) or not 0 <= original < len(cache.episodes):
        return False
    own, theirs = (
        c.actions[c.action_offsets[e] : c.action_offsets[e + 1]] for c, e in ((dreamt, episode), (cache, original))
    )
    steps = [
        c.frame_steps[c.frame_offsets[e] : c.frame_offsets[e + 1]] for c, e in ((dreamt, episode), (cache, original))
    ]
    return np.array_equal(own, theirs) and np.array_equal(steps[0], steps[1][: len(steps[0])])
