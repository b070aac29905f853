"""How fast windows for training are read, beside LeRobot's own loader on the same data sets, and where a training step's time goes.

    python bench/loading.py [--episodes 64] [--python python3.12]

A window: four cameras of 64 pixels, the state, a chunk of 10 actions; batches of 32 at random places, on one thread, files in
the system's memory. Each round times every contestant for a moment on the same windows, in turns, so that what else runs on
the machine meets all of them; ratios are taken within rounds. Both sides hand out the same tensors, which is checked first.

written: both sides decode the PNG or H.264 files of one LeRobotDataset v3.0 (LeRobot by way of its Arrow copy of the rows).
decoded: ours from the frame cache; LeRobot has none, so it reads the data set with its pictures uncompressed in its Arrow copy.
cached: the frame cache beside LeRobot's reading of the files; the storage differs, and what the cache costs is stated.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import tyro

from lerobot_process import LeRobot, install
from loading_contest import BATCH, CHECKED, FLOATS, HORIZON, Sides, prepare
from loading_forms import prepared
from pace import paced
from record import number, rate, write
from reverie.data.cache import open_cache
from reverie.policies.catalog import LEARNED
from reverie.stats import bootstrap_median
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import prepare_data
from training_step import step_times

RATIOS = {
    "written": ("written", "lerobot", "clock"),
    "written_processor": ("written", "lerobot", "processor"),
    "written_workers": ("written", "lerobot_workers", "clock"),
    "cached": ("cached", "lerobot", "clock"),
    "cached_processor": ("cached", "lerobot", "processor"),
    "cached_workers": ("cached", "lerobot_workers", "clock"),
}
"""Ours over theirs, by the clock or per second of the processor."""
Round = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Options:
    """python: makes LeRobot's environment, the first time. seconds: of each contestant in each round."""

    episodes: int = 64
    rounds: int = 7
    seconds: float = 1.5
    workers: int = 2
    folder: Path = Path("build/loading")
    venv: Path = Path("build/lerobot-venv")
    python: str = "python3.12"


def contested(options: Options, python: Path, forms: Mapping[str, Path]) -> dict[str, Any]:
    """form -> speeds, ratios and costs; and which LeRobot it was."""
    home = options.folder.resolve() / "lerobot-home"
    shutil.rmtree(home, ignore_errors=True)
    with LeRobot(python, home, "alone") as alone, LeRobot(python, home, "crew") as crew:
        sides = Sides(alone, crew, home, options.folder, options.workers, options.seconds)
        theirs = alone.ask("describe") | {"workers": options.workers}
        found = {name: prepare(name, forms[name], sides) for name in FLOATS}
        apart = {name: contest.largest_difference() for name, (contest, _) in found.items()}
        rounds = [{name: c.round(turn) for name, (c, _) in found.items()} for turn in range(options.rounds)]
    values: dict[str, Any] = {"lerobot": theirs}
    for name, (contest, cost) in found.items():
        value = summary([r[name] for r in rounds]) | {"largest_difference": number(apart[name], "levels", CHECKED)}
        values[name] = value | {"before": cost} | passes(len(contest.cached.rows), value["speed"], cost)
    return values


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """Medians of the rounds, and of the ratios within each."""
    speeds = {name: [r[name]["clock"] for r in rounds] for name in rounds[0]}
    ratios = {
        name: [r[ours][by] / r[theirs][by] for r in rounds]
        for name, (ours, theirs, by) in RATIOS.items()
        if ours in rounds[0]
    }
    return {
        "speed": {k: rate(bootstrap_median(v, "rounds")) | {"unit": "samples/s"} for k, v in speeds.items()},
        "ratio": {
            k: rate(bootstrap_median(v, "rounds")) | {"unit": "times", "smallest": min(v), "largest": max(v)}
            for k, v in ratios.items()
        },
    }


def passes(n_samples: int, speeds: Mapping[str, Any], cost: Mapping[str, Any]) -> dict[str, Any]:
    """So many samples read once, and ten times, what must be built first included: LeRobot's time over ours."""
    found = {}
    for count in (1, 10):
        ours, theirs = (
            cost[side]["time"]["value"] + count * n_samples / speeds[reader]["value"]
            for side, reader in (("ours", "cached"), ("lerobot", "lerobot"))
        )
        found[f"passes_{count}"] = number(theirs / ours, "times", n_samples, ours_s=ours, lerobot_s=theirs)
    return found


def training_batches(root: Path, options: Options) -> dict[str, Any]:
    """Samples a second as training draws them: normalised, with sentences and labels of where things are."""
    source = prepare_data(open_cache(root), CloningConfig(), TrainerConfig(), LEARNED["vla"].tiny).source
    speeds = []
    for turn in range(options.rounds):
        batches = (source.batch(step, BATCH) for step in range(1000 * turn, 1000 * (turn + 1)))
        speeds.append(paced(batches, BATCH, 1, options.seconds / 3)["clock"])
    return number(median(speeds), "samples/s", options.rounds)


def shown(values: Mapping[str, Any]) -> Iterator[str]:
    for name in FLOATS:
        for kind in ("speed", "ratio"):
            for key, value in values[name][kind].items():
                low, high = (f"{value[k]:,.1f}" if value[k] is not None else "?" for k in ("low", "high"))
                yield f"{name:13} {key:18} {value['value']:10,.1f} {value['unit']} [{low}, {high}]"
    for part, value in values["step"]["parts"].items():
        yield f"step          {part:18} {value['time']['value']:10,.2f} ms {value['share']['value']:6.1%}"


def main() -> None:
    options = tyro.cli(Options)
    torch.set_num_threads(1)
    values: dict[str, Any] = {"load_before": number(os.getloadavg()[0]), "horizon": HORIZON, "batch_size": BATCH}
    python = install(options.venv, options.python)
    forms = prepared(options.folder / f"episodes-{options.episodes}", options.episodes, processes=2)
    values |= contested(options, python, forms)
    values["training_batches"] = training_batches(forms["collected"], options)
    values["step"] = step_times(open_cache(forms["collected"]), warm=10, timed=40)
    print("\n".join(shown(values)))
    write("loading", values)


if __name__ == "__main__":
    main()
