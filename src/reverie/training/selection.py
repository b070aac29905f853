"""Which frames of a data set are learned from, and how often each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import INTENDED, ReverieError
from reverie.data.cache import FrameCache
from reverie.data.episode_info import EpisodeInfo
from reverie.data.held_out import held_out_episodes

FAR_M = 0.1
EXPERT_FROM = "expert_from"
"""Provenance: the control step from which on the expert acts, and others before."""
LABELLED = "labelled"
"""Provenance: others act, and the expert says what it would do: that is imitated, however the episode ends."""


@dataclass(frozen=True)
class Rows:
    """One row per frame that may be drawn: its number in the cache, its episode, how often it is drawn relative to
    others, and whether its actions are to be imitated (otherwise only what it shows is learned)."""

    frames: NDArray[np.int64]
    episodes: NDArray[np.int64]
    weights: NDArray[np.float64]
    imitated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)


def split_episodes(cache: FrameCache, fraction: float) -> tuple[list[int], list[int]]:
    """Episodes to train on and to validate on."""
    held_out = held_out_episodes(cache, fraction)
    return np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist()


def imitated(episode: EpisodeInfo, sources: tuple[str, ...]) -> bool:
    """Whether there is something worth imitating in it: made by one of `sources` (empty: anyone), or by the expert from some
    step on, and not known to have failed; or labelled by the expert."""
    made = episode.provenance
    return LABELLED in made or (
        (not sources or str(made.get("source", "")) in sources or EXPERT_FROM in made) and episode.success is not False
    )


def rows_of(cache: FrameCache, episodes: list[int], sources: tuple[str, ...], far_weight: float, others: float, done_weight: float = 1.0) -> Rows:  # fmt: skip
    """Frames of `episodes`. Frames with the hand far from the target count `far_weight` times; those after success
    `done_weight` times; frames of episodes that are not to be imitated `others` times (0: left out). The last frame of an
    episode has no action left to imitate."""
    frames, numbers, weights, imitate = [], [], [], []
    for e in episodes:
        good = imitated(cache.episodes[e], sources)
        if not good and not others:
            continue
        start, stop = int(cache.frame_offsets[e]), int(cache.frame_offsets[e + 1])
        n_actions = int(cache.action_offsets[e + 1] - cache.action_offsets[e])
        index = np.arange(start, stop)[cache.frame_steps[start:stop] < n_actions]
        made = cache.episodes[e].provenance
        worth = good & (cache.frame_steps[index] >= int(made.get(EXPERT_FROM, 0)))
        if LABELLED in made:
            worth &= np.isfinite(cache.frames[INTENDED][index]).all((1, 2))
        frames.append(index)
        numbers.append(np.full(len(index), e))
        far, done = far_frames(cache, e, index), _done(cache, index)
        weights.append(np.where(worth, 1.0, others) * np.where(done, done_weight, np.where(far, far_weight, 1.0)))
        imitate.append(worth)
    if not frames:
        found = sorted({str(cache.episodes[e].provenance.get("source")) for e in episodes})
        raise ReverieError(f"no episode to learn from: sources are {found}, wanted {list(sources)}, not failed")
    return Rows(np.concatenate(frames), np.concatenate(numbers), np.concatenate(weights), np.concatenate(imitate))


def _done(cache: FrameCache, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether success has been reached (all False where that is not recorded)."""
    if "success" not in cache.frames:
        return np.zeros(len(frames), np.bool_)
    return np.asarray(cache.frames["success"][frames], np.bool_).reshape(len(frames))


def hand(cache: FrameCache, frames: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Where the hand was told to be, metres [N, 3]; None where the data does not say."""
    names = cache.observation_spec.commanded
    if "commanded" not in cache.frames or not {"x", "y", "z"} <= set(names):
        return None
    return np.asarray(cache.frames["commanded"][frames][:, [names.index(n) for n in "xyz"]])


def far_frames(cache: FrameCache, episode: int, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Frames with the hand further than FAR_M from the episode's target (all False where positions are not known)."""
    scene, at = cache.episodes[episode].scene, hand(cache, frames)
    if scene is None or not scene.target or at is None or "object_poses" not in cache.frames:
        return np.zeros(len(frames), np.bool_)
    target = [o.name for o in scene.objects].index(scene.target)
    poses = cache.frames["object_poses"][frames][:, target]
    return np.asarray(np.linalg.norm(at - poses[:, :3], axis=-1) > FAR_M)
