"""How the shipped checkpoints are made, from nothing: `make checkpoints`. Every step goes on where it was killed.

collect mixed episodes and demonstrations -> pretrain the grounded backbone -> clone the expert, keeping checkpoints of
graded skill -> roll weak ones of them out -> train the video world: short sequences, then longer ones with those rollouts
-> dream some training episodes -> train the judges, the one that reads frames also on dreamt episodes -> copy into the
package.

Everything is written under `build/shipped`; about six hours on two cores (see the receipts for the measured times).
"""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from reverie.checkpoints import load, save
from reverie.collection import CollectConfig, collect
from reverie.collection.dreams import dream, spread
from reverie.data import open_cache
from reverie.data.cache import FrameCache
from reverie.training.behaviour_cloning import CloningConfig
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

    mixed: int = 2825
    demonstrations: int = 1872
    weak: int = 320
    dreamt: int = 400
    grounding: TrainerConfig = TrainerConfig(samples=100_000, validate_every=10_000, state_every=10_000)
    policy: TrainerConfig = TrainerConfig(
        samples=400_000, checkpoint_every=20_000, validate_every=20_000, state_every=10_000
    )
    graded: Mapping[str, int] = field(default_factory=dict)
    world_first: WorldTraining = WorldTraining(
        trainer=replace(WORLD_TRAINER, samples=7_000, batch_size=2), data=DreamingConfig(length=6)
    )
    world_then: WorldTraining = WorldTraining(
        trainer=replace(WORLD_TRAINER, samples=4_200, batch_size=2, learning_rate=6e-4, warmup_samples=200),
        data=DreamingConfig(length=8),
        more_share=0.3,
    )
    judge: FrameJudgeRecipe = FrameJudgeRecipe()


RECIPE = ShippedRecipe(graded={"vla-a": 40_000, "vla-b": 60_000, "vla-c": 100_000, "vla-d": 400_000})


def make(recipe: ShippedRecipe, folder: Path, processes: int) -> None:
    """Run every step that has not been finished under `folder`, then copy the results into the package."""
    torch.set_num_threads(max(1, processes))
    train = _collected(folder / "train", CollectConfig(recipe.mixed, mix="mixed"), processes)
    more = CollectConfig(recipe.demonstrations, mix="demonstrations", first=20_000, depth=False)
    demonstrations = _collected(folder / "demonstrations", more, processes)
    policy = _policies(recipe, folder, train, demonstrations)
    rollouts = CollectConfig(recipe.weak, mix=_weak(policy, recipe.graded), first=100_000, depth=False)
    world = _world(recipe, folder, train, _collected(folder / "weak", rollouts, processes))
    dream(train, world, folder / "dreamt", spread(train, recipe.dreamt))
    dreamt = open_cache(folder / "dreamt", processes=processes)
    judge = replace(recipe.judge, backbone=folder / "grounding")
    fit_frame_judge([train, dreamt], judge, folder / "judge")
    fit_pose_judge([train], PoseJudgeRecipe(), folder / "pose_only")
    sources = {f"policies/{name}": _after(policy, samples) for name, samples in recipe.graded.items()}
    judges = {"judges/frames": folder / "judge", "judges/pose_only": folder / "pose_only"}
    ship({**sources, "world/tabletop": world, **judges})


def _policies(recipe: ShippedRecipe, folder: Path, train: FrameCache, demonstrations: FrameCache) -> Path:
    grounding, policy = folder / "grounding", folder / "policy"
    fit_grounding(train, GroundingRecipe(trainer=recipe.grounding, name="shipped"), grounding)
    near = CloningConfig(far_weight=1.0)
    cloning = PolicyRecipe(cloning=near, trainer=recipe.policy, backbone=grounding, name="shipped")
    fit_policy(train, cloning, policy, more=[demonstrations])
    return policy


def _world(recipe: ShippedRecipe, folder: Path, train: FrameCache, weak: FrameCache) -> Path:
    fit_world(train, folder / "world_first", recipe.world_first)
    fit_world(train, folder / "world", replace(recipe.world_then, start=folder / "world_first"), more=[weak])
    return folder / "world"


def _collected(root: Path, config: CollectConfig, processes: int) -> FrameCache:
    collect(config, root, processes)
    return open_cache(root, processes=processes)


def _weak(policy: Path, graded: Mapping[str, int]) -> str:
    """All but the best of the graded policies, in equal shares."""
    return ",".join(f"policy:{_after(policy, samples)}" for samples in sorted(graded.values())[:-1])


def _after(policy: Path, samples: int) -> Path:
    """The numbered checkpoint nearest to so many samples (steps are whole batches)."""
    found = sorted(policy.glob("samples-*"), key=lambda p: abs(int(p.name.removeprefix("samples-")) - samples))
    return found[0] if found else policy


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
