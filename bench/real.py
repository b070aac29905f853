"""Real robot data, DROID and Bridge samples: is the video world closer to held-out takes than their first frame, and does the
policy predict their actions better than the mean action?

    python bench/real.py [--shared ../shared] [--out build/bench/real]

Trains a video world and a policy on each data set's training takes (see recipes/real.py); everything resumes. Writes one
report.html a data set. n counts held-out takes.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from record import number, write
from reverie.core import ReverieError
from reverie.evaluation.fidelity import METRICS
from reverie.recipes.real import RECIPES, make
from reverie.recipes.real_measurement import UNITS
from reverie.report import write_report

SOURCES = {"bridge": "data/bridge_rlds/1.0.0", "droid": "data/droid/droid_new_setup"}


@dataclass(frozen=True)
class Options:
    shared: Path = Path(os.environ.get("REVERIE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    """The folder with the samples."""
    out: Path = Path("build/bench/real")
    minutes: float | None = None
    """Of training for each data set; the recipes' own unless given."""


def with_units(replayed: Mapping[str, Any]) -> dict[str, Any]:
    """metric -> frame -> dreamt, copied, gain."""
    return {
        metric: {
            frame: {side: sides[side] | {"unit": METRICS[metric][1]} for side in ("dreamt", "copied", "gain")}
            for frame, sides in by_frame.items()
        }
        for metric, by_frame in replayed.items()
    }


def action_errors(found: Mapping[str, Any]) -> dict[str, Any]:
    """predictor -> group -> error."""
    predictors = ("policy", "mean_action", "hold_still")
    by = {p: {g: e | {"unit": UNITS[g]} for g, e in found[p]["overall"].items()} for p in predictors}
    return {
        **by,
        "gain": found["gain"] | {"unit": UNITS["normalised"]},
        "horizon_s": found["horizon"] / found["control_hz"],
    }


def measured(results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "takes": with_units(results["takes"]),
        "windows": with_units(results["windows"]),
        "n_windows": number(results["n_windows"]),
        "actions": action_errors(results["actions"]),
    }


def main() -> None:
    options = tyro.cli(Options)
    values = {}
    for name, folder in SOURCES.items():
        source = options.shared / folder
        if not source.is_dir():
            raise ReverieError(f"no samples at {source}: give --shared, or set REVERIE_SHARED")
        out = options.out / name
        values[name] = measured(make(RECIPES[name], source, out, options.minutes))
        print(write_report(out))
    write("real", values)


if __name__ == "__main__":
    main()
