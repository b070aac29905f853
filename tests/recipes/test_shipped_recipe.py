"""The recipe of the shipped checkpoints, from nothing to a package that can be used, at the size of a toy."""

from dataclasses import replace
from pathlib import Path

from reverie.checkpoints import load
from reverie.embodiments import panda
from reverie.policies.catalog import load_policy
from reverie.recipes.catalog import CATALOG
from reverie.recipes.shipped import ShippedRecipe, make
from reverie.training.config import TrainerConfig
from reverie.training.fit_judge import FrameJudgeRecipe, PoseJudgeRecipe
from reverie.world_model.network import UNetConfig

UNET = UNetConfig((8, 16, 16, 16), 32, 2)


def trainer(samples: int, **given: object) -> TrainerConfig:
    settings = {"batch_size": 8, "warmup_samples": 16, "validate_every": 0, "precision": "float32"} | given
    return TrainerConfig(samples=samples, **settings)  # type: ignore[arg-type]


def test_every_checkpoint_of_the_package_comes_out(tmp_path: Path) -> None:
    whole = ShippedRecipe()
    small = {name: replace(CATALOG[name], trainer=trainer(16)) for name in ("bc", "vla")}
    recipe = replace(
        whole,
        mixed=16,
        demonstrations=4,
        weak=4,
        erring=8,
        taken_over=4,
        glances=4,
        approaches=4,
        dreamt=(4, 4, 4),
        policy=trainer(64, checkpoint_every=32),
        grounding=trainer(32),
        catalog=small,
        graded={"vla-a": 32, "vla-b": 64},
        world_first=replace(whole.world_first, trainer=trainer(4, batch_size=2), unet=UNET),
        world_then=replace(whole.world_then, trainer=trainer(4, batch_size=2), unet=UNET),
        judge=replace(FrameJudgeRecipe(), trainer=trainer(32)),
        pose_judge=replace(PoseJudgeRecipe(), trainer=trainer(32)),
    )
    make(recipe, tmp_path / "work", 1, tmp_path / "package")
    found = sorted(
        str(p.parent.relative_to(tmp_path / "package")) for p in (tmp_path / "package").rglob("checkpoint.json")
    )
    policies = ["policies/bc", "policies/vla-a", "policies/vla-b", "policies/vla-d"]
    assert found == ["grounding/backbone", "judges/frames", "judges/pose_only", *policies, "world/tabletop"]
    for name in policies:
        policy = load_policy(tmp_path / "package" / name)
        assert policy.action_spec == panda.ACTION_SPEC
    assert load(tmp_path / "package/policies/vla-d").receipt["episodes"] > 8
