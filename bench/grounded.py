"""What grounding is worth: three families from scratch, with grounding as an auxiliary loss, and on the pretrained backbone;
and what the pretrained sentence encoder is worth against words learned from scratch, on paraphrases.

    python bench/grounded.py [--data build/shipped/train --more build/shipped/demonstrations]

Every arm learns from the same demonstrations for equally many samples, and is tried in the same held-out scenes of put. From
scratch: the same network, of which nothing but the actions is taught. Auxiliary: in a quarter of the samples other things are
named, which teaches grounding and no action. The pretrained backbone has seen more scenes
than the demonstrations show, and stays as it is. One training a row: intervals are over scenes. The run resumes; the last line
is JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from arms import DEMONSTRATIONS, MIXED, Arm, Attempt, attempts, available, of_training, prepare
from record import number, rate, write
from reverie.edits import edited_scenes
from reverie.evaluation.loaders import SHIPPED
from reverie.nn.grounding_loss import GroundingWeights
from reverie.nn.text_config import TextConfig
from reverie.policies import LEARNED
from reverie.scenes.tasks import draw_scene
from reverie.stats import paired_difference, paired_table, wilson
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe

FAMILIES = ("bc", "act", "vla")
UNTAUGHT = GroundingWeights(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Options:
    data: Path = Path("build/shipped/train")
    more: Path = Path("build/shipped/demonstrations")
    backbone: Path = SHIPPED / "grounding" / "backbone"
    samples: int = 60_000
    scenes: int = 100
    first: int = 5_000
    out: Path = Path("build/bench/grounded")
    processes: int = 2


def arms_of(options: Options) -> dict[str, Arm]:
    trainer = TrainerConfig(samples=options.samples, validate_every=options.samples)
    base = PolicyRecipe(trainer=trainer, cloning=CloningConfig(far_weight=1.0))
    data = options.data, options.more

    def arm(family: str, way: str, **encoder: Any) -> Arm:
        model = LEARNED[family].tiny
        model = replace(model, encoder=replace(model.encoder, **encoder))
        return Arm(f"{family} {way}", f"{family}_{way}", replace(base, family=family, model=model), data)

    found = []
    for family in FAMILIES:
        untaught, known = arm(family, "scratch", grounding_weights=UNTAUGHT), arm(family, "pretrained")
        untaught = replace(untaught, recipe=replace(untaught.recipe, cloning=replace(base.cloning, counterfactual=0.0)))
        recipe = replace(known.recipe, backbone=options.backbone, freeze=("encoder.backbone",))
        found += [
            untaught,
            arm(family, "auxiliary"),
            replace(known, recipe=recipe),
        ]
    words = replace(LEARNED["vla"].tiny.encoder.grounding, text=TextConfig("scratch"))
    return {a.name: a for a in [*found, arm("vla", "auxiliary_own_words", grounding=words)]}


def success(tries: Sequence[Attempt]) -> dict[str, Any]:
    return rate(wilson(sum(a.success for a in tries), len(tries)))


def lost(asked: Sequence[Attempt], told: Sequence[Attempt]) -> dict[str, Any]:
    return rate(paired_difference(paired_table([a.success for a in asked], [a.success for a in told])))


def main() -> None:
    options = tyro.cli(Options)
    available(options.data, MIXED, options.processes)
    available(options.more, DEMONSTRATIONS, options.processes)
    arms = arms_of(options)
    prepare([*arms.values()], options.out, options.processes)
    scenes = [draw_scene("put", "test", options.first + i) for i in range(options.scenes)]
    tries = attempts([*arms.values()], scenes, options.out, options.processes)
    reworded = [arms[name] for name in ("vla auxiliary", "vla auxiliary_own_words")]
    others = attempts(
        reworded, edited_scenes(scenes, ["language:rephrased"]), options.out, options.processes, "paraphrased"
    )
    rows: dict[str, dict[str, Any]] = {}
    for name, arm in arms.items():
        rows[arm.key] = {"success": success(tries[name])} | {
            k: number(v) for k, v in of_training(options.out, arm).items()
        }
        if name in others:
            rows[arm.key] |= {"paraphrased": success(others[name]), "lost": lost(tries[name], others[name])}
    write("grounded", rows)


if __name__ == "__main__":
    main()
