"""collect: roll out scripted behaviours in physics and write every episode at once.

Episode i of a collection is decided by its number alone: task, scene, behaviour and seeds. So any number of processes
may share the work, and a killed collection goes on where it stopped with the result of an uninterrupted one.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reverie.collection.behaviours import behaviour_named, mix_named, pick
from reverie.core import Episode, ReverieError, seed_for
from reverie.data import EpisodeStager, compact
from reverie.embodiments import panda
from reverie.rollouts import rollout
from reverie.scenes.tasks import SPLITS, TASKS, draw_scene, task_named
from reverie.sim import PhysicsWorld

BLOCK = 8
BYTES_PER_EPISODE = 1_300_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CollectConfig:
    """What to collect. tasks are taken in turn; `seconds` is an episode's length; `first` is the first scene's number."""

    episodes: int = 200
    tasks: tuple[str, ...] = tuple(TASKS)
    mix: str = "demonstrations"
    split: str = "train"
    seconds: float = 8.0
    depth: bool = True
    first: int = 0

    def __post_init__(self) -> None:
        for task in self.tasks:
            task_named(task)
        mix_named(self.mix)
        if self.split not in SPLITS:
            raise ReverieError(f"split is {self.split!r}, expected one of {', '.join(SPLITS)}")
        if self.episodes < 1 or self.seconds <= 0:
            raise ReverieError(f"episodes is {self.episodes} and seconds {self.seconds}: both must be positive")


def collect(config: CollectConfig, out: Path, processes: int = 1, progress: Progress | None = None) -> Path:
    """Write `config.episodes` episodes to a data set at `out`; what is staged already is kept."""
    stager = EpisodeStager(out, robot_type=panda.NAME)
    missing = stager.missing(config.episodes)
    blocks = [missing[i : i + BLOCK] for i in range(0, len(missing), BLOCK)]
    written = config.episodes - len(missing)
    for count in _work(config, out, blocks, processes):
        written += count
        if progress:
            progress(written, config.episodes)
    return compact(stager.folder, out)


def _work(config: CollectConfig, out: Path, blocks: list[list[int]], processes: int) -> Iterator[int]:
    if processes == 1:
        yield from (_collect_block(config, out, block) for block in blocks)
        return
    spawn = multiprocessing.get_context("spawn")  # a graphics context does not survive a fork
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        for future in as_completed([pool.submit(_collect_block, config, out, block) for block in blocks]):
            yield future.result()


def _collect_block(config: CollectConfig, out: Path, indices: list[int]) -> int:
    stager = EpisodeStager(out, robot_type=panda.NAME)
    for name in sorted({behaviour_of(config, i) for i in indices}):
        chosen = [i for i in indices if behaviour_of(config, i) == name]
        for i, episode in zip(chosen, _episodes(config, name, chosen), strict=True):
            stager.stage(i, episode)
    return len(indices)


def behaviour_of(config: CollectConfig, index: int) -> str:
    return pick(mix_named(config.mix), seed_for("behaviour", config.mix, config.split, config.first + index) / 2**63)


def _episodes(config: CollectConfig, behaviour: str, indices: list[int]) -> list[Episode]:
    scenes = [
        draw_scene(config.tasks[i % len(config.tasks)], config.split, config.first + i // len(config.tasks))
        for i in indices
    ]
    keys = [seed_for("collect", config.mix, scene.id) for scene in scenes]
    n_steps = round(config.seconds * panda.ACTION_SPEC.control_hz)
    episodes = rollout(behaviour_named(behaviour), PhysicsWorld(depth=config.depth), scenes, keys, n_steps)
    return [_completed(e, behaviour, config.split) for e in episodes]


def _completed(episode: Episode, behaviour: str, split: str) -> Episode:
    """Adds who acted, and the joint targets and opening [F, frame_every, 8] that every command came down to."""
    spec, observations = episode.observation_spec, episode.observations
    assert observations.commanded is not None
    state = observations.commanded[:1].astype(np.float64)
    targets = []
    for action in episode.actions:
        state = panda.integrate(state, action[None])
        targets.append(np.concatenate([state[0, 8:], state[0, 7:8]]))
    every = spec.frame_every
    padded = np.stack([*targets, *[targets[-1]] * every])  # nothing follows the last frame: the last target again
    joints = np.stack([padded[s : s + every] for s in episode.frame_steps]).astype(np.float32)
    return replace(
        episode,
        observations=replace(observations, extras={**observations.extras, "joint_actions": joints}),
        observation_spec=replace(spec, extras=(*spec.extras, "joint_actions")),
        provenance={**episode.provenance, "source": behaviour, "split": split},
    )


def seconds_per_episode(config: CollectConfig) -> float:
    """Measured on one episode, written nowhere: for an estimate before the work begins."""
    started = time.perf_counter()
    _episodes(replace(config, depth=True), "clean_expert", [0])
    return time.perf_counter() - started
