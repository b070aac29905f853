"""Arms of an ablation: policies that differ in one thing, trained on the same data and tried in the same held-out scenes.

Both are done by any number of processes and go on where they were stopped.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.checkpoints import load
from reverie.cli.progress import progress
from reverie.collection import CollectConfig, collect
from reverie.core import Policy, Scene, TrialKey
from reverie.core.files import write_text
from reverie.core.processes import in_processes
from reverie.data import open_cache
from reverie.rollouts import Chunked, Ensembled, open_policy, rollout
from reverie.sim import PhysicsWorld
from reverie.training.fit import PolicyRecipe, fit_policy

BLOCK, N_STEPS, HZ = 10, 80, 10.0
DEMONSTRATIONS = CollectConfig(1_872, mix="demonstrations", first=20_000, depth=False)
"""With noise: as for the shipped policies."""
MIXED = CollectConfig(2_825, mix="mixed")
"""Of which about 1,750 demonstrations, others with mistakes."""
CLEAN = CollectConfig(1_100, mix="clean_expert", first=20_000, depth=False)
"""The first of the same scenes, without."""


@dataclass(frozen=True)
class Arm:
    """trained: the name of the training; data: its data sets, the first of which decides statistics. executed: control steps of a
    chunk before the next look (0: as the family does), ensembled: all chunks for a moment averaged, as ACT does."""

    name: str
    trained: str
    recipe: PolicyRecipe
    data: tuple[Path, ...]
    executed: int = 0
    ensembled: bool = False

    @property
    def key(self) -> str:
        """The name, as results and folders have it."""
        return self.name.replace(" ", "_").replace(",", "")


@dataclass(frozen=True)
class Attempt:
    """jerk: root mean square of the third difference of the commanded position, m/s^3. path: commanded positions [N + 1, 3]."""

    scene: str
    success: bool
    jerk: float
    path: list[list[float]]


def available(folder: Path, config: CollectConfig, processes: int) -> None:
    """A data set that is there is taken as it is; else it is collected."""
    if not (folder / "meta" / "info.json").is_file():
        with progress(f"episodes of {folder.name}") as advance:
            collect(config, folder, processes, advance)


def prepare(arms: Sequence[Arm], out: Path, processes: int) -> dict[str, Path]:
    """Train what is not trained yet; checkpoints by name of the training."""
    wanted = {arm.trained: (arm.trained, arm.recipe, arm.data) for arm in arms}
    left = [job for name, job in wanted.items() if not _finished(out / name)]
    with progress("trainings") as advance:
        for i, _ in enumerate(in_processes(processes, _train, left, _begin, out)):
            advance(i + 1, len(left))
    return {name: out / name for name in wanted}


def attempts(
    arms: Sequence[Arm], scenes: Sequence[Scene], out: Path, processes: int, told: str = "asked"
) -> dict[str, list[Attempt]]:
    """What every arm does in every scene; `told` sets apart scenes that are told something else."""
    blocks = [(arm, [*scenes[i : i + BLOCK]], told) for arm in arms for i in range(0, len(scenes), BLOCK)]
    left = [job for job in blocks if not _record(out, *job).is_file()]
    with progress("trials") as advance:
        for i, _ in enumerate(in_processes(processes, _try, left, _begin, out)):
            advance(i + 1, len(left))
    found: dict[str, list[Attempt]] = {arm.name: [] for arm in arms}
    for job in blocks:
        found[job[0].name] += [Attempt(**a) for a in json.loads(_record(out, *job).read_text())]
    return found


def of_training(out: Path, arm: Arm) -> Mapping[str, float]:
    """Episodes, samples and seconds of one core, from its receipt."""
    receipt = load(out / arm.trained).receipt
    return {k: float(receipt[k]) for k in ("episodes", "samples", "seconds")}


def commanded_path(actions: NDArray[np.float32], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, A] deltas -> positions [N + 1, 3]."""
    return start + np.concatenate([np.zeros((1, 3)), np.cumsum(actions[:, :3], axis=0, dtype=np.float64)])


def jerk(path: NDArray[np.float64]) -> float:
    return float(np.sqrt((np.diff(path, 3, axis=0) ** 2).sum(1).mean())) * HZ**3


_out: list[Path] = []


def _begin(out: Path) -> None:
    torch.set_num_threads(1)
    _out[:] = [out]


def _finished(folder: Path) -> bool:
    return (folder / "checkpoint.json").is_file()


def _train(job: tuple[str, PolicyRecipe, tuple[Path, ...]]) -> str:
    name, recipe, data = job
    first, *more = (open_cache(d) for d in data)
    fit_policy(first, replace(recipe, name=name), _out[0] / name, more=more, quiet=True)
    return name


def _record(out: Path, arm: Arm, block: Sequence[Scene], told: str) -> Path:
    return out / "trials" / told / arm.key / f"{block[0].id.replace('/', '-')}+{len(block)}.json"


def _try(job: tuple[Arm, list[Scene], str]) -> None:
    found = attempted(policy_of(job[0], _out[0]), job[1])
    path = _record(_out[0], *job)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps([asdict(a) for a in found]))


def policy_of(arm: Arm, out: Path) -> Policy:
    policy = open_policy(out / arm.trained)
    if arm.executed:
        policy = Chunked(policy, arm.executed)
    return Ensembled(policy, 0.01) if arm.ensembled else policy


def attempted(policy: Policy, scenes: Sequence[Scene]) -> list[Attempt]:
    """Keys hold the scene, not the policy's folder: the same seeds for every arm."""
    keys = [TrialKey("arm", "physics", s.id) for s in scenes]
    found = []
    for scene, episode in zip(scenes, rollout(policy, PhysicsWorld(), scenes, keys, N_STEPS), strict=True):
        assert episode.observations.commanded is not None
        path = commanded_path(episode.actions, episode.observations.commanded[0, :3].astype(np.float64))
        found.append(Attempt(scene.id, episode.success is True, jerk(path), path.round(5).tolist()))
    return found
