"""`reverie demo`: the shipped policies on 16 held-out scenes, in physics and in the video world; then open the report.

    reverie demo --out runs/demo

The same command again goes on where it stopped.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.cli import evaluate
from reverie.core import ReverieError
from reverie.evaluation import Request
from reverie.evaluation.loaders import SHIPPED


@dataclass(frozen=True)
class Options:
    """A smaller or larger demo."""

    out: Path = Path("runs/demo")
    """The run's folder."""
    scenes: str = "test:16"
    """Held-out scenes."""
    processes: int = min(2, os.cpu_count() or 1)
    """Blocks at work at the same time."""


def shipped_policies(kind: str = "*") -> tuple[str, ...]:
    """Shipped policies by name; `vla-*`: one family at four skills."""
    return tuple(f"shipped:{p.parent.name}" for p in sorted(SHIPPED.glob(f"policies/{kind}/checkpoint.json")))


def shipped_request(scenes: str, block_size: int = 8) -> Request:
    """The shipped policies of graded skill, the classical pipeline, and two scripts that err, in both worlds; all judges."""
    learned = shipped_policies("vla-*")
    judges = sorted(p.parent.name for p in SHIPPED.glob("judges/*/checkpoint.json"))
    if not learned or not judges or not list(SHIPPED.glob("world/*/checkpoint.json")):
        raise ReverieError(f"shipped checkpoints are missing under {SHIPPED}: run `make checkpoints`")
    return Request(
        policies=(*learned, "classical", "script:near_miss", "script:wrong_object"),
        worlds=("physics", "video:shipped"),
        scenes=(scenes,),
        judges=("physics", *(f"shipped:{name}" for name in judges)),
        n_steps=80,
        truth=("physics", "physics"),
        controls=tuple(f"shipped:{name}" for name in judges if name.startswith("pose")),
        block_size=block_size,
    )


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie demo", description=__doc__)
    return evaluate.run(shipped_request(options.scenes), options.out, options.processes)
