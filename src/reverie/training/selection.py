"""Which frames of a data set are learned from, and how often each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError, generator
from reverie.data.cache import FrameCache
from reverie.data.episode_info import EpisodeInfo

VALIDATION_SPLITS = ("val", "valid", "validation", "test")
FAR_M = 0.1


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


def own_split(cache: FrameCache) -> NDArray[np.bool_]:
    """[E]: what the data set itself holds out; nothing where that would be everything."""
    own = np.array([e.split in VALIDATION_SPLITS for e in cache.episodes], np.bool_)
    return own & ~own.all()


def held_out_episodes(cache: FrameCache, fraction: float) -> NDArray[np.bool_]:
    """[E]: the data set's own split where it has one, else about `fraction` by lot, at least one of several.

    The lot is drawn per scene: what one model must not have seen is held out from all of them, and with an episode
    everything that was made of it, in whatever data set (other policies there, the same commands dreamt).
    """
    own = own_split(cache)
    if own.any() or len(own) < 2:
        return own
    scenes = [f"episode {i}" if e.scene is None else e.scene.id for i, e in enumerate(cache.episodes)]
    lots = np.array([generator("held out", scene).random() for scene in scenes])
    held_out = lots < fraction
    return held_out if held_out.any() and not held_out.all() else np.asarray(lots == lots.min())


def split_episodes(cache: FrameCache, fraction: float) -> tuple[list[int], list[int]]:
    """Episodes to train on and to validate on."""
    held_out = held_out_episodes(cache, fraction)
    return np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist()


def imitated(episode: EpisodeInfo, sources: tuple[str, ...]) -> bool:
    """Whether its actions are worth imitating: made by one of `sources` (empty: anyone) and not known to have failed."""
    source = str(episode.provenance.get("source", ""))
    return (not sources or source in sources) and episode.success is not False


def rows_of(cache: FrameCache, episodes: list[int], sources: tuple[str, ...], far_weight: float, others: float) -> Rows:
    """Frames of `episodes`. Frames with the hand far from the target count `far_weight` times; frames of episodes that
    are not to be imitated `others` times (0: left out). The last frame of an episode has no action left to imitate."""
    frames, numbers, weights, imitate = [], [], [], []
    for e in episodes:
        good = imitated(cache.episodes[e], sources)
        if not good and not others:
            continue
        start, stop = int(cache.frame_offsets[e]), int(cache.frame_offsets[e + 1])
        n_actions = int(cache.action_offsets[e + 1] - cache.action_offsets[e])
        index = np.arange(start, stop)[cache.frame_steps[start:stop] < n_actions]
        frames.append(index)
        numbers.append(np.full(len(index), e))
        weights.append((1.0 if good else others) * np.where(far_frames(cache, e, index), far_weight, 1.0))
        imitate.append(np.full(len(index), good))
    if not frames:
        found = sorted({str(cache.episodes[e].provenance.get("source")) for e in episodes})
        raise ReverieError(f"no episode to learn from: sources are {found}, wanted {list(sources)}, not failed")
    return Rows(np.concatenate(frames), np.concatenate(numbers), np.concatenate(weights), np.concatenate(imitate))


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
