"""`reverie data`: bring data sets of other formats in, and look at what is in one.

reverie data import droid ../shared/data/droid/droid_new_setup --out data/droid
reverie data import rlds ../shared/data/bridge_rlds/1.0.0 --out data/bridge
reverie data import lerobot ../theirs --specs theirs.json --out data/theirs
reverie data show data/droid
reverie data dream data/mixed --world checkpoints/world --out data/dreamt
reverie data trials runs/first --world physics --judge physics --out data/first
reverie data click data/mine --clicks clicks.json
reverie data calibrate data/mine --robot arm.urdf --link gripper_tip --clicks clicks.json
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console

from reverie.cli.progress import progress
from reverie.core import unknown_name
from reverie.data import open_cache, open_dataset
from reverie.data.contact_sheet import contact_sheet
from reverie.data.importers import import_dataset
from reverie.data.show import render_summary
from reverie.data.summary import describe


@dataclass(frozen=True)
class ImportOptions:
    """Writes a LeRobot v3.0 data set; the source is not changed."""

    format: tyro.conf.Positional[str]
    """What the source is: droid, rlds or lerobot."""
    source: tyro.conf.Positional[Path]
    """The folder to read."""
    out: Path
    """Where the data set goes."""
    specs: Path | None = None
    """For lerobot: a JSON file that says what a stranger's actions mean (without it, an error says what to write)."""
    images: Literal["png", "video"] | None = None
    """How frames are stored: png is exact, video is smaller; by default the size of the frames decides."""


@dataclass(frozen=True)
class ShowOptions:
    """Prints a summary and writes a contact sheet."""

    root: tyro.conf.Positional[Path]
    """The data set's folder."""
    sheet: Path | None = None
    """Where the contact sheet goes; beside the data set unless given."""
    episodes: int = 8
    """Rows of the contact sheet."""


@dataclass(frozen=True)
class DreamOptions:
    """Plays recorded actions again in a video world: the same labels over generated frames, for a judge to learn from."""

    root: tyro.conf.Positional[Path]
    """The recorded data set."""
    world: Path
    """The video world's checkpoint."""
    out: Path
    """Where the dreamt data set goes."""
    episodes: int = 300
    """How many to dream: half of them successes, as far as there are."""
    held_out: float | None = None
    """Dream only episodes that trainings hold out (a judge's fraction is 0.05): a judge is calibrated on them."""


@dataclass(frozen=True)
class TrialsOptions:
    """Writes the trials of a run as a data set, labelled by one of its judges."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    world: str
    """The world whose trials, by its name in the run."""
    judge: str
    """The judge whose verdicts become labels, by its name in the run."""
    out: Path
    """Where the data set goes."""


def import_data(arguments: Sequence[str]) -> None:
    options = tyro.cli(ImportOptions, args=list(arguments), prog="reverie data import", description=__doc__)
    with progress("episodes") as advance:
        import_dataset(options.format, options.source, options.out, options.images, advance, options.specs)
    print(options.out)


def show(arguments: Sequence[str]) -> None:
    options = tyro.cli(ShowOptions, args=list(arguments), prog="reverie data show", description=__doc__)
    dataset = open_dataset(options.root)
    Console().print(render_summary(describe(dataset)))
    sheet = options.sheet or options.root.with_name(f"{options.root.name}.contact_sheet.png")
    contact_sheet(dataset, sheet, range(min(options.episodes, len(dataset))))
    print(sheet)


def dream_data(arguments: Sequence[str]) -> None:
    from reverie.collection.dreams import dream, spread

    options = tyro.cli(DreamOptions, args=list(arguments), prog="reverie data dream", description=__doc__)
    cache = open_cache(options.root)
    with progress("episodes") as advance:
        chosen = spread(cache, options.episodes, options.held_out)
        dream(cache, options.world, options.out, chosen, advance, announce=lambda left: print(left, file=sys.stderr))
    print(options.out)


def write_trials(arguments: Sequence[str]) -> None:
    from reverie.evaluation.as_data import write_trials as write

    options = tyro.cli(TrialsOptions, args=list(arguments), prog="reverie data trials", description=__doc__)
    print(write(options.run, options.out, options.world, options.judge))


def click_frames(arguments: Sequence[str]) -> None:
    from reverie.cli.calibrate_data import click

    click(arguments)


def calibrate_cameras(arguments: Sequence[str]) -> None:
    from reverie.cli.calibrate_data import calibrate

    calibrate(arguments)


ACTIONS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "import": import_data,
    "show": show,
    "dream": dream_data,
    "trials": write_trials,
    "click": click_frames,
    "calibrate": calibrate_cameras,
}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if arguments[0] not in ACTIONS:
        raise unknown_name("data action", arguments[0], list(ACTIONS))
    ACTIONS[arguments[0]](arguments[1:])
    return 0
