"""dream: the recorded actions of a data set played again in a video world, written as a data set of dreamt episodes.

A dreamt episode has the label, the scene and the commands of its original; only its frames are generated. That is what a
judge of generated frames learns from. `provenance["world"]` names the video world, `provenance["original"]` the episode.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reverie.collection.blocks import Announce, Progress, stage_and_compact, unfinished
from reverie.core import Episode, ReverieError, seed_for
from reverie.data import EpisodeStager, FrameCache, is_finished
from reverie.data.held_out import held_out_episodes
from reverie.data.recorded import RecordedWorld, recorded_episodes
from reverie.rollouts import Recorded, rollout
from reverie.world_model.checkpoint import LoadedWorld, load_world

BLOCK = 16


def dream(
    cache: FrameCache,
    world: Path,
    out: Path,
    episodes: Sequence[int],
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Path:
    """Dream the numbered episodes of a data set, unless the data set of this request lies at `out` already; a killed run
    goes on where it stopped, in blocks as `collect` does. Errors: ReverieError if `out` holds anything else."""
    if not episodes:
        raise ReverieError(
            f"{cache.path.parent}: no labelled episode to dream; ask for some, of a data set with labels"
        )
    loaded = load_world(world)
    request = {
        "made_by": "dream",
        "data": cache.path.name,
        "world": loaded.fingerprint,
        "episodes": len(episodes),
        "numbers": list(episodes),
        "block": BLOCK,
    }
    if is_finished(out, request):
        return out
    stager = EpisodeStager(out, request=request)
    blocks = unfinished(stager, len(episodes), BLOCK)
    work = (_stage_block(cache, loaded, stager, block, [episodes[i] for i in block]) for block in blocks)
    return stage_and_compact(stager, len(episodes), work, lambda s: s * (len(blocks) - 1), progress, announce)


def _stage_block(
    cache: FrameCache, loaded: LoadedWorld, stager: EpisodeStager, block: range, numbers: Sequence[int]
) -> int:
    missing = set(block) - set(stager.staged())
    for place, episode in zip(block, dream_block(cache, loaded, numbers), strict=True):
        if place in missing:
            stager.stage(place, episode)
    return len(missing)


def spread(cache: FrameCache, wanted: int, held_out: float | None = None) -> list[int]:
    """Labelled episodes to dream, evenly spread over the data set, half of them successes as far as there are.

    held_out: choose among those that trainings hold out, with this fraction (dreams of them show how a judge does on
    dreams that it has not seen).
    """
    among = np.ones(len(cache.episodes), np.bool_) if held_out is None else held_out_episodes(cache, held_out)
    by_label = [[i for i, e in enumerate(cache.episodes) if among[i] and e.success is label] for label in (True, False)]
    n_failed = min(len(by_label[1]), wanted // 2)
    counts = (min(len(by_label[0]), wanted - n_failed), n_failed)
    return sorted(e[i * len(e) // n] for e, n in zip(by_label, counts, strict=True) for i in range(n))


def dream_block(cache: FrameCache, loaded: LoadedWorld, numbers: Sequence[int]) -> list[Episode]:
    """Dreamt episodes of equal length: shorter recordings end with their last command repeated, and are cut again."""
    originals = recorded_episodes(cache, numbers)
    n_steps = max(e.n_steps for e in originals)
    actions = np.stack([np.pad(e.actions, ((0, n_steps - e.n_steps), (0, 0)), mode="edge") for e in originals])
    world = loaded.world(RecordedWorld(cache))
    every = world.observation_spec.frame_every
    replay = Recorded(actions, cache.action_spec, frame_every=every, n_action_steps=every)
    scenes = [e.scene for e in originals if e.scene is not None]
    dreamt = rollout(replay, world, scenes, [seed_for("dream", n) for n in numbers], n_steps)
    known = [replace(o, scene=cache.episodes[n].scene or o.scene) for o, n in zip(originals, numbers, strict=True)]
    return [_labelled(d, o, n, loaded.fingerprint) for d, o, n in zip(dreamt, known, numbers, strict=True)]


def _labelled(dreamt: Episode, original: Episode, number: int, fingerprint: str) -> Episode:
    kept = dreamt.frame_steps <= original.n_steps
    return replace(
        dreamt,
        observations=dreamt.observations[kept],
        frame_steps=dreamt.frame_steps[kept],
        actions=original.actions,
        instruction=original.instruction,
        success=original.success,
        success_time_s=original.success_time_s,
        scene=original.scene,
        provenance={
            **original.provenance,
            "world": "video",
            "world_fingerprint": fingerprint,
            "original": number,
        },
    )
