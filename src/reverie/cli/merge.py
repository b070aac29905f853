"""`reverie merge RUN RUN ... --out RUN`: several runs as one, with a report; runs that contradict each other are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.cli.progress import progress
from reverie.core import ReverieError
from reverie.evaluation.merging import merge
from reverie.report import write_report


@dataclass(frozen=True)
class Options:
    """Nothing is computed again; the runs stay as they are."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of runs: of one plan (parts that ran apart), or of plans that agree in what they share."""
    out: Path
    """The merged run's folder."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie merge", description=__doc__)
    if len(options.runs) < 2:
        raise ReverieError(f"{len(options.runs)} run given, expected two or more to merge")
    with progress("trials") as advance:
        merge(options.runs, options.out, advance)
    print(write_report(options.out))
    return 0
