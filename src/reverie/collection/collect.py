"""collect: roll out scripted behaviours in physics and write every episode at once.

Task, scene, behaviour and seeds of episode i are decided by its number alone, and so is the block in which it is rolled
out. So any number of processes may share the work, and a killed collection goes on where it stopped with the result of an
uninterrupted one.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reverie.collection.behaviours import Crew, crew_of, mix_named, pick
from reverie.collection.blocks import Announce, Progress, stage_and_compact, unfinished
from reverie.collection.labelled import Labelled
from reverie.collection.taken_over import TakenOver
from reverie.core import INTENDED, Episode, ReverieError, Scene, seed_for
from reverie.core.processes import check_processes, in_processes
from reverie.data import EpisodeStager, is_finished
from reverie.embodiments import panda
from reverie.rollouts import rollout
from reverie.scenes.tasks import BASIC, SPLITS, TASKS, draw_scene, task_named
from reverie.sim import PhysicsWorld
from reverie.sim.script import INTENTION

BLOCK = 8
SECONDS = 8.0


@dataclass(frozen=True)
class CollectConfig:
    """What to collect. tasks are taken in turn; `seconds` is an episode's length, what its scene takes unless given; `first`
    is the first scene's number."""

    episodes: int = 200
    tasks: tuple[str, ...] = BASIC
    mix: str = "demonstrations"
    split: str = "train"
    seconds: float | None = None
    depth: bool = True
    first: int = 0

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ReverieError(f"tasks is empty: name at least one of {', '.join(TASKS)}")
        for task in self.tasks:
            task_named(task)
        mix_named(self.mix)
        if self.split not in SPLITS:
            raise ReverieError(f"split is {self.split!r}, expected one of {', '.join(SPLITS)}")
        if self.episodes < 1:
            raise ReverieError(f"episodes is {self.episodes}: it must be >= 1")
        if self.seconds is not None and not (math.isfinite(self.seconds) and _steps(self.seconds) >= 1):
            step_s = 1 / panda.ACTION_SPEC.control_hz
            raise ReverieError(
                f"seconds is {self.seconds}: expected a finite number of at least one step of {step_s:g} s"
            )

    def n_steps(self, scene: Scene) -> int:
        return _steps(self.seconds) if self.seconds else scene.n_steps(_steps(SECONDS))

    def scene(self, index: int) -> Scene:
        """That of episode `index`."""
        tasks = self.tasks
        return draw_scene(tasks[index % len(tasks)], self.split, self.first + index // len(tasks))


def _steps(seconds: float) -> int:
    return round(seconds * panda.ACTION_SPEC.control_hz)


def collect(
    config: CollectConfig,
    out: Path,
    processes: int = 1,
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Path:
    """Write `config.episodes` episodes to a data set at `out`, unless the data set of this request lies there already.

    every block with a missing episode is rolled out: the first one here, which tells how long the others will take,
    those by any number of processes; when all is staged, it is compacted
    announce: told what is still to come, once. Errors: ReverieError if `out` holds anything else.
    """
    check_processes(processes)
    collector = Collector(config, out)
    if is_finished(out, collector.request):
        return out
    blocks = unfinished(collector.stager, config.episodes, BLOCK)
    work = _work(collector, blocks, processes)
    return stage_and_compact(
        collector.stager, config.episodes, work, lambda s: s * (len(blocks) - 1) / processes, progress, announce
    )


def _work(collector: "Collector", blocks: list[range], processes: int) -> Iterator[int]:
    alone = blocks if processes == 1 else blocks[:1]
    yield from (collector.run(block) for block in alone)
    others = blocks[len(alone) :]
    yield from in_processes(processes, _run_in_process, others, _start_process, collector.config, collector.out)


@dataclass(frozen=True)
class Collector:
    """What one process needs to collect: the policies, opened once, and where episodes are staged."""

    config: CollectConfig
    out: Path

    @cached_property
    def crew(self) -> Crew:
        return crew_of(self.config.mix)

    @cached_property
    def stager(self) -> EpisodeStager:
        """Errors: ReverieError if episodes of another request are staged."""
        return EpisodeStager(self.out, robot_type=panda.NAME, request=self.request)

    @cached_property
    def request(self) -> dict[str, Any]:
        """All that decides the episodes."""
        crew = self.crew
        acting = {n: {"share": crew.shares[n], "fingerprint": p.fingerprint} for n, p in crew.policies.items()}
        world = PhysicsWorld(depth=self.config.depth)
        return asdict(self.config) | {
            "made_by": "collect",
            "mix": crew.key,
            "behaviours": acting,
            "world": world.fingerprint,
            "block": BLOCK,
        }

    def run(self, block: range) -> int:
        """Roll out a block, one behaviour and one length after the other, and stage what is missing; returns how many that
        were."""
        missing = set(block) - set(self.stager.staged())
        kinds = {i: (self.behaviour(i), self.config.n_steps(self.config.scene(i))) for i in block}
        for kind in sorted(set(kinds.values())):
            batch = [i for i in block if kinds[i] == kind]
            if missing.isdisjoint(batch):
                continue
            for i, episode in zip(batch, self.episodes(*kind, batch), strict=True):
                if i in missing:
                    self.stager.stage(i, episode)
        return len(missing)

    def behaviour(self, index: int) -> str:
        number = self.config.first + index
        return pick(self.crew.shares, seed_for("behaviour", self.crew.key, self.config.split, number) / 2**63)

    def episodes(self, behaviour: str, n_steps: int, batch: list[int]) -> list[Episode]:
        config = self.config
        scenes = [config.scene(i) for i in batch]
        keys = [seed_for("collect", self.crew.key, scene.id) for scene in scenes]
        with one_thread():
            policy = self.crew.policies[behaviour]
            episodes = rollout(policy, PhysicsWorld(depth=config.depth), scenes, keys, n_steps)
        made: dict[str, Any] = {"source": behaviour, "split": config.split}
        if isinstance(policy, TakenOver):
            made["expert_from"] = policy.steps
        if isinstance(policy, Labelled):
            made["labelled"] = True
        return [completed(e, made) for e in episodes]


@contextmanager
def one_thread() -> Iterator[None]:
    """Floating point depends on the number of threads; processes at work are no part of the result."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_collector: list[Collector] = []


def _start_process(config: CollectConfig, out: Path) -> None:
    _collector.append(Collector(config, out))


def _run_in_process(block: range) -> int:
    return _collector[0].run(block)


def completed(episode: Episode, made: Mapping[str, Any]) -> Episode:
    """Adds how it was made, and the joint targets and opening [F, frame_every, 8] that every command came down to. Where
    nobody said what was intended, that is not a number: a data set has the same extras everywhere."""
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
    unknown = np.full((episode.n_frames, INTENTION, episode.action_spec.action_dim), np.nan, np.float32)
    extras = {INTENDED: unknown, **observations.extras, "joint_actions": joints}
    return replace(
        episode,
        observations=replace(observations, extras=extras),
        observation_spec=replace(spec, extras=tuple(dict.fromkeys((*spec.extras, INTENDED, "joint_actions")))),
        provenance={**episode.provenance, **made},
    )
