"""`reverie collect`: scripted demonstrations, mistakes and play in physics, written as a LeRobot v3.0 data set.

    reverie collect --tasks put --episodes 200 --out data/put
    reverie collect --tasks stack close_laptop a_then_b --episodes 600 --out data/more
    reverie collect --mix mixed --episodes 2000 --processes 2 --out data/mixed

The same command again goes on where it stopped, and does nothing once the data set is finished; another one is refused.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from reverie.cli.progress import progress
from reverie.collection import CollectConfig, collect
from reverie.scenes.tasks import BASIC


@dataclass(frozen=True)
class Options:
    """Every episode is decided by its number: task, scene, behaviour and seeds."""

    out: Path
    """Where the data set goes: a folder of its own."""
    episodes: int = 200
    """How many."""
    tasks: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--task"])] = BASIC
    """Task families, taken in turn; by name: put_in, put_on, move_beside, stack, close_laptop, a_then_b, put."""
    mix: str = "demonstrations"
    """Who acts: demonstrations, mixed, or one behaviour (expert, near_miss, drop, play, ...)."""
    split: str = "train"
    """Scenes of which split: train, validation or test."""
    seconds: float | None = None
    """Length of an episode; unless given, what its task takes: 8 s, "A then B" 16 s."""
    depth: bool = True
    """Also write depth images."""
    first: int = 0
    """Number of the first scene."""
    processes: int = 1
    """Processes at work; no part of the result."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie collect", description=__doc__)
    config = CollectConfig(
        episodes=options.episodes,
        tasks=options.tasks,
        mix=options.mix,
        split=options.split,
        seconds=options.seconds,
        depth=options.depth,
        first=options.first,
    )
    with progress("episodes", config.episodes) as advance:
        collect(config, options.out, options.processes, advance, announce=lambda left: print(left, file=sys.stderr))
    print(options.out)
    return 0
