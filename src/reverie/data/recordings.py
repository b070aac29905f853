"""Recorded episodes as scenes to begin from, and as episodes, out of a frame cache: by number or by key."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode, Observations, ObservationSpec, Scene
from reverie.data.cache import FrameCache
from reverie.data.episode_info import EpisodeInfo


def episode_keys(cache: FrameCache) -> list[str]:
    """A name for every episode: what its source calls it where that is unique, else its number."""
    own = [str(e.provenance.get("source_id", "")) for e in cache.episodes]
    return own if all(own) and len(set(own)) == len(own) else [f"episode_{i:06d}" for i in range(len(own))]


def acted_by(episode: EpisodeInfo) -> str | None:
    """The policy that acted, as the provenance names it: `policy`, or a `source` of policy:NAME (of a rollout) or
    policy:NAME@FINGERPRINT (of a collection). None: people, scripts, or nobody says."""
    source = str(episode.provenance.get("source", ""))
    named = source.removeprefix("policy:").partition("@")[0] if source.startswith("policy:") else None
    return str(episode.provenance.get("policy") or named or "") or None


def recorded_scenes(cache: FrameCache, episodes: Sequence[int] | None = None) -> list[Scene]:
    """A Scene for each of `episodes` (all by default): it begins with the episode's first frame."""
    keys = episode_keys(cache)
    return [recorded_scene(cache.episodes[i], keys[i]) for i in (range(len(keys)) if episodes is None else episodes)]


def recorded_scene(episode: EpisodeInfo, key: str) -> Scene:
    """What the episode knows of its own scene is kept; the id is that of this one recording."""
    known = episode.scene or Scene("", task="recorded", instruction=episode.instruction)
    return replace(known, id=f"recorded/{key}", instruction=episode.instruction, recorded=key)


def recorded_episodes(cache: FrameCache, episodes: Sequence[int] | None = None) -> list[Episode]:
    """Episodes out of a cache (without events and depth), each with the scene that a RecordedWorld starts from."""
    chosen = range(len(cache.episodes)) if episodes is None else episodes
    return [_episode(cache, i, s) for i, s in zip(chosen, recorded_scenes(cache, list(chosen)), strict=True)]


def _episode(cache: FrameCache, index: int, scene: Scene) -> Episode:
    info = cache.episodes[index]
    frames, actions = (slice(*o[index : index + 2]) for o in (cache.frame_offsets, cache.action_offsets))
    return Episode(
        observations=observe(cache, np.arange(frames.start, frames.stop), (info.instruction,) * info.n_frames),
        frame_steps=np.array(cache.frame_steps[frames]),
        actions=np.array(cache.actions[actions]),
        observation_spec=offered_spec(cache),
        action_spec=cache.action_spec,
        instruction=info.instruction,
        success=info.success,
        success_time_s=info.success_time_s,
        scene=scene,
        provenance=info.provenance,
    )


def offered_spec(cache: FrameCache) -> ObservationSpec:
    """Of what the cache holds: depth maps may have been left out of it."""
    return replace(cache.observation_spec, extras=tuple(e for e in cache.observation_spec.extras if e in cache.frames))


def observe(cache: FrameCache, frames: NDArray[np.int64], instructions: tuple[str, ...]) -> Observations:
    """The frames with numbers `frames` [...]."""
    extras = [e for e in cache.observation_spec.extras if e in cache.frames]
    states: Mapping[str, Any] = {k: cache.frames[k][frames] for k in ("commanded", "measured") if k in cache.frames}
    return Observations(
        images={c: np.ascontiguousarray(cache.images[c][frames]) for c in cache.observation_spec.camera_names},
        time_s=np.array(cache.frames["time_s"][frames], np.float64),
        instructions=instructions,
        extras={e: np.array(cache.frames[e][frames]) for e in extras},
        **states,
    )
