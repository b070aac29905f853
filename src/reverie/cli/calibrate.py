"""`reverie calibrate RUN --real trials.csv`: absolute success from few real trials and many dreamt ones.

reverie calibrate runs/first --real trials.csv      # columns policy, success, scene (or task), optional replicate
reverie calibrate runs/mine                         # the run's own recorded truth instead
reverie calibrate runs/first --real trials.csv --more 30 --target 0.05 --json

What was asked last is kept in the run (calibration.json) and shown in its report.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.core import ReverieError, unknown_name
from reverie.evaluation.calibration_record import Asked, answer, write_asked
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.rates import predicting
from reverie.evaluation.real_trials import read_trials
from reverie.report import write_report
from reverie.report.calibration import text
from reverie.report.formats import view_words


@dataclass(frozen=True)
class Options:
    """Real scenes must be a random draw of the run's."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    real: Path | None = None
    """Real trials as CSV; the run's own truth unless given."""
    view: str | None = None
    """Which dreamt view, as the report names it; the one with the most policies unless given."""
    more: int = 20
    """Real trials to plan for."""
    target: float = 0.1
    """Half width to plan for, as a fraction."""
    json: bool = False
    """Print JSON."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie calibrate", description=__doc__)
    if options.more < 0 or not 0 < options.target < 0.5:
        raise ReverieError(
            f"--more is {options.more}, --target {options.target}: expected 0 or more, and a number in (0, 0.5)"
        )
    table = read_outcomes(options.run)
    view = _view(options, {view_words(v): v for v in predicting(table)})
    trials = read_trials(options.real, table) if options.real is not None else None
    source = options.real.name if options.real is not None else "the run's own truth"
    asked = Asked(view, source, trials, options.more, options.target)
    found = answer(table, asked, options.run)
    write_asked(options.run, asked)
    report = write_report(options.run)
    print(json.dumps(found.to_dict(), indent=1, allow_nan=False) if options.json else f"{text(found)}\n\n{report}")
    return 0


def _view(options: Options, views: dict[str, View]) -> View:
    if options.view is not None:
        if options.view not in views:
            raise unknown_name("view", options.view, list(views))
        return views[options.view]
    if not views:
        raise ReverieError(
            f"{options.run}: nothing was scored in a world other than the truth's; expected a dreamt view"
        )
    return next(iter(views.values()))
