"""`reverie export RUN --to trials.parquet`: everything that a run recorded as one table, Parquet or CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.evaluation.plan import read_plan
from reverie.trials import export


@dataclass(frozen=True)
class Options:
    """A line per trial and verdict; prints how many."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    to: Path
    """The table's path; its ending, .parquet or .csv, says which."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie export", description=__doc__)
    read_plan(options.run)  # an error where this is no run
    print(f"{options.to}: {export(options.run, options.to)} lines")
    return 0
