"""`reverie filter RUN --out RUN --policies act --scenes 'put/*'`: a part of a run as a run of its own, with a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.cli.progress import progress
from reverie.evaluation.merging import extract
from reverie.report import write_report


@dataclass(frozen=True)
class Options:
    """Patterns of names, `*` and `?` as in a shell; of what is not named, everything stays."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    out: Path
    """The new run's folder."""
    policies: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie filter", description=__doc__)
    with progress("trials") as advance:
        extract(options.run, options.out, options.policies, options.worlds, options.scenes, options.judges, advance)
    print(write_report(options.out))
    return 0
