"""`reverie dream WORLD`: a person drives the robot inside the video world, by keyboard in a page on this machine.

    reverie dream video:shipped
    reverie dream checkpoints/world --scenes train:8,stack --out data/driven
    reverie dream video:checkpoints/mine --scenes recorded:data/mine --out data/driven
    reverie dream physics --out data/driven
    reverie train vla --data data/driven --cloning.sources person --out checkpoints/mine

The page shows the keys. Saved episodes become a data set when the person finishes (or Ctrl-C); `reverie label` labels them.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.cli.pages import LINGER_S
from reverie.core import World
from reverie.driving.drive import Drive, DriveConfig
from reverie.driving.shelf import Shelf
from reverie.evaluation import recordings
from reverie.evaluation.receipts import limit_threads
from reverie.evaluation.resolve import load_scenes, load_world
from reverie.pages import serving


@dataclass(frozen=True)
class Options:
    """Ends when the person finishes, or with Ctrl-C."""

    world: tyro.conf.Positional[str] = "video:shipped"
    """video:shipped, a video world's checkpoint, physics, or anything else that `reverie evaluate` takes as a world."""
    scenes: str = "train:8"
    """Scenes to begin with, as for `reverie evaluate`; recorded:DATA: the first frames of a data set."""
    out: Path | None = None
    """Where the data set of what is saved goes."""
    drive: tyro.conf.OmitArgPrefixes[DriveConfig] = DriveConfig()
    threads: int = 1
    """Of the world; the shipped one needs no more, and a browser wants a core too."""
    port: int = 0
    """Of the local page; 0 takes a free one."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie dream", description=__doc__)
    world = open_world(options.world, options.scenes)
    limit_threads(options.threads)
    scenes = load_scenes(options.scenes)
    shelf = Shelf(options.out, world) if options.out else None
    try:
        drive(Drive(world, scenes, shelf, options.drive), options.port)
    finally:
        world.close()
        root = shelf.finish() if shelf else None
    if shelf:
        print(root or "nothing was saved")
    return 0


def open_world(world: str, scenes: str) -> World:
    """A video world begins with recorded frames where the scenes are recorded."""
    kind = scenes.partition(":")[0]
    return load_world(recordings.begun_by(world, recordings.data_of([scenes])) if kind == recordings.KIND else world)


def drive(driven: Drive, port: int) -> None:
    """Serve the page, say where, and step the world until the person is finished."""
    with serving({"drive": driven}, port) as url:
        print(f"open {url}/drive/ in a browser on this machine (Ctrl-C ends)", file=sys.stderr, flush=True)
        try:
            driven.run()
            time.sleep(LINGER_S)
        except KeyboardInterrupt:
            print("ended; what was saved is kept", file=sys.stderr)
