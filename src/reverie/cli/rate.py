"""`reverie rate RUN --raters NAME`: people judge the clips of a run, blind and by keyboard, in a local page.

    reverie rate runs/first --raters anna ben --sample 60

Each answer is a verdict of the judge `human:NAME`, written at once; the same command goes on where it stopped. `reverie
judges RUN` says how far raters agree with each other and with every other judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from reverie.annotation import Session, rating_of
from reverie.cli.judges import show
from reverie.cli.pages import until_finished
from reverie.evaluation.judges import compare_judges
from reverie.evaluation.plan import read_plan
from reverie.report import write_report
from reverie.trials import Journal


@dataclass(frozen=True)
class Options:
    """Ends when everything is rated, or with Ctrl-C."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    raters: tuple[str, ...]
    """Who rates; each gets a page and an order of one's own."""
    sample: int | None = None
    """Rate only so many trials, drawn at random: the same for every rater."""
    worlds: tuple[str, ...] = ()
    """Only trials in these worlds, by their names in the report."""
    seed: int | None = None
    """Of sample and order, stored with the run by the first call."""
    port: int = 0
    """Of the local page; 0 takes a free one."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie rate", description=__doc__)
    read_plan(options.run)  # an error where this is no run, before a journal is opened there
    with Journal(options.run) as journal:
        ratings = rating_of(journal, options.raters, options.sample, options.worlds, options.seed)
        until_finished({r.rater: Session(r) for r in ratings}, options.port)
    if len(options.raters) > 1:
        show(compare_judges(options.run).only([f"human:{r}" for r in options.raters]), Console())
    print(write_report(options.run))
    return 0
