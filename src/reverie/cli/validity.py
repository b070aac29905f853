"""`reverie validity FILE.csv|RUN`: how well an evaluator predicts success, and what the data do not support.

reverie validity table.csv                       # columns task, policy, real, predicted, optional n
reverie validity runs/first --json               # a run with a truth: the numbers of its report
reverie validity docs/published/simpler_bridge.csv --published docs/published/simpler_bridge.published.csv
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.core import ReverieError, unknown_name
from reverie.evaluation.published import Checked, check, read_claims
from reverie.evaluation.rate_table import read_rates
from reverie.evaluation.summary import summarise
from reverie.evaluation.validity import Validity, of_run, of_table
from reverie.report.formats import view_words
from reverie.report.validity import text, write_page
from reverie.report.wording import main_comparison


@dataclass(frozen=True)
class Options:
    """Rates are fractions, or percents where that leaves no doubt."""

    source: tyro.conf.Positional[Path]
    """A CSV file (task, policy, real, predicted, optional n), or the folder of a run."""
    json: bool = False
    """Print JSON: pearson, spearman, kendall, mmrv, bias, regret, top_one over policies, per_task and cells."""
    figure: Path | None = None
    """Write the report with its figures as one HTML file."""
    published: Path | None = None
    """A CSV file of published statistics (scope, statistic, value, source) to be recomputed from the table."""
    view: str | None = None
    """Which view of a run, as its report names it; the main prediction unless given."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie validity", description=__doc__)
    found, checked = load(options)
    if options.figure:
        write_page(found, options.figure, checked)
    if options.json:
        published = {"published": [c.to_dict() for c in checked]} if options.published else {}
        print(json.dumps(found.to_dict() | published, indent=1, allow_nan=False))
    else:
        print(text(found, checked))
    if options.figure and not options.json:
        print(f"\n{options.figure}")
    return 0


def load(options: Options) -> tuple[Validity, tuple[Checked, ...]]:
    if options.source.is_dir():
        if options.published:
            raise ReverieError(
                "--published is for a table: a run's statistics are computed here, not printed elsewhere"
            )
        return _run(options.source, options.view), ()
    if options.view:
        raise ReverieError(f"--view is for a run; {options.source} is a table")
    rows = read_rates(options.source)
    claims = read_claims(options.published, rows) if options.published else ()
    return of_table(rows, options.source.name), check(claims, rows)


def _run(folder: Path, view: str | None) -> Validity:
    summary = summarise(folder)
    by_name = {view_words(c.view): c for c in summary.comparisons}
    if view is not None and view not in by_name:
        raise unknown_name("view", view, list(by_name))
    found = by_name[view] if view is not None else main_comparison(summary)
    if found is None:
        truth = "a truth, and a world that predicts it (`reverie evaluate --truth ... --world ...`)"
        raise ReverieError(f"{folder}: no view of this run predicts a truth; expected a run with {truth}")
    return of_run(summary.table, found)
