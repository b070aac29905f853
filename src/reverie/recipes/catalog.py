"""How the catalog is trained: every family's small configuration, on the pretrained backbone as it is, on the same
demonstrations. Lengths are meant for an hour of two cores each (receipts have the seconds).

A frozen backbone looks at every frame once, for all families; what is trained is what tells the families apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reverie.data.cache import FrameCache
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe, fit_policy

_TRAINER = TrainerConfig(batch_size=32, ema=0.999, validate_every=100_000, state_every=25_000, checkpoint_every=200_000)


def _recipe(family: str, samples: int) -> PolicyRecipe:
    return PolicyRecipe(
        family=family,
        cloning=CloningConfig(far_weight=1.0, done_weight=0.2),
        trainer=replace(_TRAINER, samples=samples),
        freeze=("encoder.backbone",),
        name="catalog",
    )


CATALOG: dict[str, PolicyRecipe] = {
    "simple_vla": _recipe("simple_vla", 1_500_000),
    "bc": _recipe("bc", 1_500_000),
    "rt1": _recipe("rt1", 600_000),
    "act": _recipe("act", 600_000),
    "diffusion_policy": _recipe("diffusion_policy", 800_000),
    "octo": _recipe("octo", 600_000),
    "flow_vla": _recipe("flow_vla", 1_500_000),
    "vla": _recipe("vla", 500_000),
}


def train_catalog(
    recipes: Mapping[str, PolicyRecipe], data: Sequence[FrameCache], backbone: Path, folder: Path
) -> dict[str, Path]:
    """Checkpoints by name, in `folder`; what is there already is only finished. data: the first decides statistics."""
    for name, recipe in recipes.items():
        fit_policy(data[0], replace(recipe, backbone=backbone), folder / name, more=data[1:])
    return {name: folder / name for name in recipes}
