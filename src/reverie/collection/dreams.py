"""dream: the recorded actions of a data set played again in a video world, written as a data set of dreamt episodes.

A dreamt episode has the label, the scene and the commands of its original; only its frames are generated. That is what a
judge of generated frames learns from. `provenance["world"]` names the video world, `provenance["original"]` the episode.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reverie.core import Episode, seed_for
from reverie.data import Dataset, EpisodeStager, compact, open_dataset
from reverie.data.recorded import RecordedWorld, recorded_scenes
from reverie.rollouts import Recorded, rollout
from reverie.world_model.checkpoint import LoadedWorld, load_world

BLOCK = 16
Progress = Callable[[int, int], None]


def dream(data: Path, world: Path, out: Path, episodes: Sequence[int], progress: Progress | None = None) -> Path:
    """Dream the named episodes of the data set at `data`; a killed run goes on where it stopped."""
    dataset, loaded = open_dataset(data), load_world(world)
    stager = EpisodeStager(out)
    missing = stager.missing(len(episodes))
    for start in range(0, len(missing), BLOCK):
        block = missing[start : start + BLOCK]
        for place, episode in zip(block, dream_block(dataset, loaded, [episodes[i] for i in block]), strict=True):
            stager.stage(place, episode)
        if progress:
            progress(len(episodes) - len(missing) + start + len(block), len(episodes))
    return compact(stager.folder, out)


def dream_block(dataset: Dataset, loaded: LoadedWorld, numbers: Sequence[int]) -> list[Episode]:
    """Dreamt episodes of equal length: shorter recordings end with their last command repeated, and are cut again."""
    originals = [dataset.episode(i) for i in numbers]
    n_steps = max(e.n_steps for e in originals)
    actions = np.stack([np.pad(e.actions, ((0, n_steps - e.n_steps), (0, 0)), mode="edge") for e in originals])
    starter = RecordedWorld(dataset)
    world = loaded.world(starter)
    every = world.observation_spec.frame_every
    replay = Recorded(actions, dataset.action_spec, frame_every=every, n_action_steps=every)
    scenes = recorded_scenes(dataset, numbers)
    dreamt = rollout(replay, world, scenes, [seed_for("dream", n) for n in numbers], n_steps)
    return [_labelled(d, o, n, loaded.fingerprint) for d, o, n in zip(dreamt, originals, numbers, strict=True)]


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
