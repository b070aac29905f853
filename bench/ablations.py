"""What matters in imitation: chunks, history, how many demonstrations, and what demonstrations show of recovering.

    python bench/ablations.py [--data build/shipped/demonstrations --more build/shipped/train] [--taken-over build/shipped/taken_over]

All arms are the small `vla` with the L1 head on the pretrained backbone as it is (which has seen more scenes than any arm,
but no action), trained for equally many samples and tried in the same held-out scenes of put. One training a row: intervals
are over scenes, not over seeds of training. Differences are paired by scene, against the arm named `reference`. The run
resumes; the last line is JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from arms import CLEAN, DEMONSTRATIONS, MIXED, Arm, Attempt, attempts, available, of_training, prepare
from record import number, rate, write
from reverie.collection import CollectConfig
from reverie.evaluation.loaders import SHIPPED
from reverie.policies.vla import VLAConfig
from reverie.scenes.tasks import draw_scene
from reverie.stats import bootstrap_median, paired_difference, paired_table, wilson
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe

REFERENCE = "chunk of 10, 4 executed"
COUNTS = (100, 300, 1_000)
SMALL = VLAConfig()
_MIX = ",".join(f"expert_after:{n}:{SHIPPED / 'policies' / 'vla-c'}" for n in (14, 26, 38, 50))
TAKEN_OVER = CollectConfig(480, mix=_MIX, first=61_000, seconds=11.0, depth=False)
SAME = 1_000
"""Demonstrations of every arm about recovering."""


@dataclass(frozen=True)
class Options:
    data: Path = Path("build/shipped/demonstrations")
    """Demonstrations with noise, and what was intended."""
    more: tuple[Path, ...] = (Path("build/shipped/train"),)
    """Further ones, to make 3,000."""
    taken_over: Path = Path("build/shipped/taken_over")
    """Episodes in which the expert takes over from a policy."""
    clean: Path = Path("build/bench/clean_demonstrations")
    """Demonstrations without noise, of the same scenes as `data`; collected if they are not there."""
    backbone: Path = SHIPPED / "grounding" / "backbone"
    samples: int = 200_000
    scenes: int = 100
    first: int = 3_000
    out: Path = Path("build/bench/ablations")
    processes: int = 2


def recipe(options: Options, model: VLAConfig = SMALL, episodes: int = 0, intended: bool = True) -> PolicyRecipe:
    return PolicyRecipe(
        model=model,
        backbone=options.backbone,
        freeze=("encoder.backbone",),
        cloning=CloningConfig(far_weight=1.0, episodes=episodes, intended=intended),
        trainer=TrainerConfig(
            samples=options.samples, batch_size=64, ema=0.999, warmup_samples=12_800, validate_every=options.samples
        ),
    )


def arms_of(options: Options) -> dict[str, list[Arm]]:
    """By question. Arms of one training differ in how it is executed."""
    everything = (options.data, *options.more)
    whole = recipe(options)

    def arm(
        name: str, trained: str, how: PolicyRecipe = whole, data: tuple[Path, ...] = everything, **executed: Any
    ) -> Arm:
        return Arm(name, trained, how, data, **executed)

    def history(n: int) -> Arm:
        return arm(f"{n} frames", f"frames_{n}", recipe(options, VLAConfig(n_obs_steps=n)))

    def count(n: int) -> Arm:
        return arm(f"{n:,} demonstrations", f"count_{n}", recipe(options, episodes=n), (options.data,))

    reference = arm(REFERENCE, "whole")
    one = recipe(options, VLAConfig(horizon=1, n_action_steps=1))
    few = recipe(options, episodes=SAME)
    return {
        "chunks": [
            reference,
            arm("one action at a time", "single", one),
            arm("chunk of 10, 1 executed", "whole", executed=1),
            arm("chunk of 10, 10 executed", "whole", executed=10),
            arm("chunk of 10, ensembled", "whole", ensembled=True),
        ],
        "history": [reference, history(2), history(4)],
        "demonstrations": [reference, *map(count, COUNTS)],
        "recovery": [
            arm("without noise", "clean", few, (options.clean,)),
            arm("noise, as executed", "executed", recipe(options, episodes=SAME, intended=False), (options.data,)),
            arm("noise, as intended", f"count_{SAME}", few, (options.data,)),
            arm("noise, as intended, and taken over", "taken_over", few, (options.data, options.taken_over)),
        ],
    }


def told(options: Options, arm: Arm, tries: Sequence[Attempt], against: Sequence[Attempt]) -> dict[str, Any]:
    successes = [a.success for a in tries]
    found = rate(wilson(sum(successes), len(successes)))
    jerks = rate(bootstrap_median([a.jerk for a in tries], "scenes"))
    learned = {k: number(v) for k, v in of_training(options.out, arm).items()}
    row = {"success": found, "jerk": jerks} | learned
    if tries is not against:
        table = paired_table(successes, [a.success for a in against])
        row["over_reference"] = rate(paired_difference(table))
    return row


def main() -> None:
    options = tyro.cli(Options)
    available(options.data, DEMONSTRATIONS, options.processes)
    available(options.clean, CLEAN, options.processes)
    available(options.taken_over, TAKEN_OVER, options.processes)
    for folder, config in zip(options.more, (MIXED,), strict=False):
        available(folder, config, options.processes)
    questions = arms_of(options)
    arms = list({arm.name: arm for group in questions.values() for arm in group}.values())
    prepare(arms, options.out, options.processes)
    scenes = [draw_scene("put", "test", options.first + i) for i in range(options.scenes)]
    tries = attempts(arms, scenes, options.out, options.processes)
    values = {
        question: {arm.key: told(options, arm, tries[arm.name], tries[group[0].name]) for arm in group}
        for question, group in questions.items()
    }
    write("ablations", values)


if __name__ == "__main__":
    main()
