"""`reverie real`: what the video world and a policy make of real robot data, in one report.

    reverie real --data droid --source ../shared/data/droid/droid_new_setup --out runs/droid
    reverie real --data bridge --source ../shared/data/bridge_rlds/1.0.0 --out runs/bridge

Imports the takes, trains a small video world on some of them, replays the others' actions in it from their first real
frames, trains a policy on the same takes and compares its actions with those recorded. The same command again goes on where
it stopped.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.recipes.real import make, recipe_named
from reverie.report import write_report


@dataclass(frozen=True)
class Options:
    """Real data without calibration or object positions."""

    data: str
    """Which recipe: droid or bridge."""
    source: Path
    """The folder to import."""
    out: Path
    """The run's folder; data, checkpoints and the report go there."""
    minutes: float | None = None
    """Minutes of training on one core; the recipe's own unless given."""
    backbone: Path | None = None
    """A grounding checkpoint for the policy to begin with."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie real", description=__doc__)
    recipe = recipe_named(options.data)
    minutes = recipe.minutes if options.minutes is None else options.minutes
    print(f"about {minutes + 1:.0f} min on one core, 100 MB on disk", file=sys.stderr)
    make(recipe, options.source, options.out, minutes, options.backbone, say=lambda text: print(text, file=sys.stderr))
    print(write_report(options.out))
    return 0
