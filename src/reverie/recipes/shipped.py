"""How the shipped checkpoints are made, from nothing: `make checkpoints`. Every step goes on where it was killed.

collect mixed episodes, demonstrations and glances at many scenes -> clone the expert, keeping checkpoints of graded skill ->
let the expert take over from the last of them -> pretrain the grounded backbone -> clone the expert again with that backbone
as it is, by every policy of the catalog -> roll the weak ones out -> train the video world: short sequences, then longer
ones with those rollouts -> dream some training episodes -> train the judges, the one that reads frames also on dreamt
episodes -> copy into the package.

Everything is written under `build/shipped`; hours on two cores (every receipt has the seconds of its own training).
"""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from reverie.checkpoints import load, save
from reverie.collection import CollectConfig, collect
from reverie.collection.dreams import dream, spread
from reverie.data import open_cache
from reverie.data.cache import FrameCache
from reverie.recipes.catalog import CATALOG, train_catalog
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
    training samples after which that policy was saved; catalog: those on the pretrained backbone, of which `vla` is shipped
    under the name `best`. glances: scenes of which two frames are seen; approaches: of which two seconds, with a hand in the
    picture that goes for the named thing, for another one or for none. dreamt: of the mixed episodes, the weak policies'
    rollouts and the erring ones, for judges to learn from."""

    mixed: int = 2825
    demonstrations: int = 1872
    glances: int = 24_000
    approaches: int = 9_000
    weak: int = 320
    erring: int = 640
    taken_over: int = 480
    dreamt: tuple[int, int, int] = (260, 120, 240)
    policy: TrainerConfig = TrainerConfig(
        samples=100_000, checkpoint_every=20_000, validate_every=20_000, state_every=10_000
    )
    grounding: TrainerConfig = TrainerConfig(samples=800_000, validate_every=50_000, state_every=10_000)
    catalog: Mapping[str, PolicyRecipe] = field(default_factory=lambda: CATALOG)
    graded: Mapping[str, int] = field(default_factory=lambda: {"vla-a": 40_000, "vla-b": 60_000, "vla-c": 100_000})
    best: str = "vla-d"
    world_first: WorldTraining = WorldTraining(
        trainer=replace(WORLD_TRAINER, samples=7_000, batch_size=2), data=DreamingConfig(length=6)
    )
    world_then: WorldTraining = WorldTraining(
        trainer=replace(WORLD_TRAINER, samples=4_200, batch_size=2, learning_rate=6e-4, warmup_samples=200),
        data=DreamingConfig(length=8),
        more_share=0.3,
    )
    judge: FrameJudgeRecipe = FrameJudgeRecipe()
    pose_judge: PoseJudgeRecipe = PoseJudgeRecipe()


ERRING = "missed_grasp,drop,wrong_object,wrong_place,near_miss,play"
APPROACHING = "expert,wrong_object,play"
TAKEN_OVER_AFTER = (14, 26, 38, 50)
HELD_OUT = 400  # of each data set at most, all dreamt: judges are calibrated on them


def make(recipe: ShippedRecipe, folder: Path, processes: int, package: Path = PACKAGE) -> None:
    """Run every step that has not been finished under `folder`, then copy the results into the package."""
    torch.set_num_threads(max(1, processes))
    train = _collected(folder / "train", CollectConfig(recipe.mixed, mix="mixed"), processes)
    more = CollectConfig(recipe.demonstrations, mix="demonstrations", first=20_000, depth=False)
    demonstrations = _collected(folder / "demonstrations", more, processes)
    graded, grounding, catalog = _policies(recipe, folder, train, demonstrations, processes)
    rollouts = CollectConfig(
        recipe.weak, mix=",".join(f"policy:{p}" for p in graded.values()), first=100_000, depth=False
    )
    weak = _collected(folder / "weak", rollouts, processes)
    mistakes = CollectConfig(recipe.erring, mix=ERRING, first=50_000, depth=False)
    erring = _collected(folder / "erring", mistakes, processes)
    world = _world(recipe, folder, train, weak)
    recorded = [train, weak, erring]
    judge = replace(recipe.judge, backbone=grounding)
    fit_frame_judge([*recorded, *_dreams(recipe, folder, recorded, world, processes)], judge, folder / "judge")
    fit_pose_judge(recorded, recipe.pose_judge, folder / "pose_only")
    policies = {f"policies/{name}": checkpoint for name, checkpoint in (graded | catalog).items()}
    judges = {"judges/frames": folder / "judge", "judges/pose_only": folder / "pose_only"}
    ship({"grounding/backbone": grounding, **policies, "world/tabletop": world, **judges}, package)


def _policies(
    recipe: ShippedRecipe, folder: Path, train: FrameCache, demonstrations: FrameCache, processes: int
) -> tuple[dict[str, Path], Path, dict[str, Path]]:
    """The graded checkpoints of one training, the backbone, and the policies on that backbone, which also learned how the
    expert goes on where the last of the graded ones got to."""
    policy, grounding = folder / "policy", folder / "grounding"
    cloning = PolicyRecipe(cloning=CloningConfig(far_weight=1.0), trainer=recipe.policy, name="shipped")
    fit_policy(train, cloning, policy, more=[demonstrations])
    mix = ",".join(f"expert_after:{steps}:{policy}" for steps in TAKEN_OVER_AFTER)
    config = CollectConfig(recipe.taken_over, mix=mix, first=61_000, seconds=11.0, depth=False)
    taken_over = _collected(folder / "taken_over", config, processes)
    shown = CollectConfig(recipe.glances, mix="play", seconds=0.2, first=100_000, depth=False)
    glances = _collected(folder / "glances", shown, processes)
    shown = CollectConfig(recipe.approaches, mix=APPROACHING, seconds=2.0, first=200_000, depth=False)
    approaches = _collected(folder / "approaches", shown, processes)
    task = GroundingRecipe(trainer=recipe.grounding, name="shipped")
    fit_grounding(train, task, grounding, more=[demonstrations, approaches, approaches, glances])
    catalog = train_catalog(recipe.catalog, [train, demonstrations, taken_over], grounding, folder / "catalog")
    catalog = {recipe.best if name == "vla" else name: checkpoint for name, checkpoint in catalog.items()}
    return {name: _after(policy, samples) for name, samples in recipe.graded.items()}, grounding, catalog


def _world(recipe: ShippedRecipe, folder: Path, train: FrameCache, weak: FrameCache) -> Path:
    fit_world(train, folder / "world_first", recipe.world_first)
    fit_world(train, folder / "world", replace(recipe.world_then, start=folder / "world_first"), more=[weak])
    return folder / "world"


def _dreams(
    recipe: ShippedRecipe, folder: Path, recorded: Sequence[FrameCache], world: Path, processes: int
) -> list[FrameCache]:
    """Dreams to learn from, and dreams of what is held out."""
    found = []
    for name, cache, wanted in zip(("train", "weak", "erring"), recorded, recipe.dreamt, strict=True):
        held_out = spread(cache, HELD_OUT, recipe.judge.bags.validation_fraction)
        for kind, episodes in (("dreamt", spread(cache, wanted)), ("held_out", held_out)):
            found.append(open_cache(dream(cache, world, folder / f"{kind}_{name}", episodes), processes=processes))
    return found


def _collected(root: Path, config: CollectConfig, processes: int) -> FrameCache:
    collect(config, root, processes)
    return open_cache(root, processes=processes)


def _after(policy: Path, samples: int) -> Path:
    """The numbered checkpoint nearest to so many samples (steps are whole batches)."""
    found = sorted(policy.glob("samples-*"), key=lambda p: abs(int(p.name.removeprefix("samples-")) - samples))
    return found[0] if found else policy


def ship(sources: Mapping[str, Path], package: Path = PACKAGE) -> None:
    """Copy checkpoints into the package, in half precision, each with its receipt."""
    for name, folder in sources.items():
        target = package / name
        shutil.rmtree(target, ignore_errors=True)
        checkpoint = load(folder)
        save(target, replace(checkpoint, name=Path(name).name), precision="float16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/shipped"), help="working folder; kept for resuming")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    make(ShippedRecipe(), given.out, given.processes)


if __name__ == "__main__":
    main()
