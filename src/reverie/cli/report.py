"""`reverie report RUN`: rebuild summary.json and report.html of a run from its records; prints the report's path."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.report import write_report


@dataclass(frozen=True)
class Options:
    """Reads records only: nothing is computed again."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie report", description=__doc__)
    print(write_report(options.run))
    return 0
