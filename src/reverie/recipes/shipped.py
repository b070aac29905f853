"""How the shipped checkpoints are made, from nothing: `make checkpoints`. Every step goes on where it was killed.

collect mixed episodes -> pretrain the grounded backbone -> clone the expert, keeping checkpoints of graded skill
-> roll the weak policies out -> train the video world on all of it -> dream some training episodes -> train the judges,
the one that reads frames also on dreamt episodes -> copy into the package.

Everything is written under `build/shipped`; about five hours on two cores (see the receipts for the measured times).
"""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from reverie.checkpoints import load, save
from reverie.collection import CollectConfig, collect
from reverie.collection.dreams import dream, spread
from reverie.data import is_dataset, open_cache
from reverie.data.cache import FrameCache
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit import GroundingRecipe, PolicyRecipe, fit_grounding, fit_policy
from reverie.training.fit_judge import FrameJudgeRecipe, PoseJudgeRecipe, fit_frame_judge, fit_pose_judge
from reverie.training.fit_world import WORLD_TRAINER, WorldTraining, fit_world

PACKAGE = Path(__file__).resolve().parents[1] / "checkpoints" / "shipped"


@dataclass(frozen=True)
class ShippedRecipe:
    """Numbers of the shipped set. Episodes and samples are counted in all; `graded` maps a shipped name to the number of
    training samples after which that policy was saved."""

    episodes: int = 2800
    weak_episodes: int = 400
    dreamt: int = 600
    grounding: TrainerConfig = TrainerConfig(samples=80_000, validate_every=10_000, state_every=10_000)
    policy: TrainerConfig = TrainerConfig(
        samples=130_000, checkpoint_every=10_000, validate_every=10_000, state_every=5_000
    )
    graded: Mapping[str, int] | None = None
    world: TrainerConfig = replace(WORLD_TRAINER, samples=7_000, batch_size=2)
    world_length: int = 6


RECIPE = ShippedRecipe(graded={"vla-a": 20_000, "vla-b": 40_000, "vla-c": 70_000, "vla-d": 130_000})


def make(recipe: ShippedRecipe, folder: Path, processes: int) -> None:
    """Run every step that has not been finished under `folder`, then copy the results into the package."""
    torch.set_num_threads(max(1, processes))
    train = _collected(folder / "train", CollectConfig(recipe.episodes, mix="mixed"), processes)
    grounding, policy, world = folder / "grounding", folder / "policy", folder / "world"
    fit_grounding(train, GroundingRecipe(trainer=recipe.grounding, name="shipped"), grounding)
    fit_policy(train, PolicyRecipe(trainer=recipe.policy, backbone=grounding, name="shipped"), policy)
    graded = recipe.graded or {}
    weak = _collected(
        folder / "weak",
        CollectConfig(recipe.weak_episodes, mix=_weak(policy, graded), first=100_000, depth=False),
        processes,
    )
    training = WorldTraining(trainer=recipe.world, data=DreamingConfig(length=recipe.world_length), more_share=0.25)
    fit_world(train, world, training, more=[weak])
    if not is_dataset(folder / "dreamt"):
        dream(train, world, folder / "dreamt", spread(train, recipe.dreamt))
    dreamt = open_cache(folder / "dreamt", processes=processes)
    fit_frame_judge([train, dreamt], FrameJudgeRecipe(backbone=grounding), folder / "judge")
    fit_pose_judge(train, PoseJudgeRecipe(), folder / "pose_only")
    sources = {f"policies/{name}": policy / f"samples-{samples:08d}" for name, samples in graded.items()}
    ship(
        {
            **sources,
            "world/tabletop": world,
            "judges/frames": folder / "judge",
            "judges/pose_only": folder / "pose_only",
        }
    )


def _collected(root: Path, config: CollectConfig, processes: int) -> FrameCache:
    if not is_dataset(root):
        collect(config, root, processes)
    return open_cache(root, processes=processes)


def _weak(policy: Path, graded: Mapping[str, int]) -> str:
    """All but the best of the graded policies, in equal shares."""
    weaker = sorted(graded.values())[:-1]
    return ",".join(f"policy:{policy / f'samples-{samples:08d}'}" for samples in weaker)


def ship(sources: Mapping[str, Path]) -> None:
    """Copy checkpoints into the package, in half precision, each with its receipt."""
    for name, folder in sources.items():
        target = PACKAGE / name
        shutil.rmtree(target, ignore_errors=True)
        checkpoint = load(folder)
        save(target, replace(checkpoint, name=Path(name).name), precision="float16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/shipped"), help="working folder; kept for resuming")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    make(RECIPE, given.out, given.processes)


if __name__ == "__main__":
    main()
