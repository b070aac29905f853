"""The page: a run's records become one self-contained HTML file. Sections appear only where their records exist."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie.core import Estimate, ReverieError
from reverie.core.files import write_text
from reverie.evaluation.blocks import SCRIPTS
from reverie.evaluation.calibration_record import read_calibration
from reverie.evaluation.comparison import Comparison
from reverie.evaluation.drops import costs
from reverie.evaluation.failure_modes import MODES, FailureModes, failure_modes
from reverie.evaluation.outcomes import View
from reverie.evaluation.plan import FILE as PLAN_FILE
from reverie.evaluation.rates import Rate
from reverie.evaluation.reliability import Reliability, reliabilities
from reverie.evaluation.standings import Standings
from reverie.evaluation.summary import Summary, write_summary
from reverie.report import calibration, formats, wording
from reverie.report.fidelity import FILE as FIDELITY_FILE
from reverie.report.fidelity import Curve, read_fidelity
from reverie.report.films import MAX_BYTES, Film, films, mode_films, within
from reverie.report.imitation import held_out_errors
from reverie.report.svg import Point, change_bar, interval_bar, scatter
from reverie.trials import RECEIPTS, export

FILE = "report.html"
ROWS = "trials.parquet"
ROLES = ("prediction", "replay bound", "control", "judge alone")


@dataclass(frozen=True)
class Ranked:
    """One line of the ranking: the policy's rate, and its rate in the views that predict it."""

    rate: Rate
    letters: str
    predicted: tuple[Rate | None, ...]
    corrected: Estimate | None = None


@dataclass(frozen=True)
class Reliable:
    """A judge's probabilities against the truth, as numbers and drawn."""

    found: Reliability
    svg: Markup


@dataclass(frozen=True)
class Figure:
    """A scatter with the legend of its numbered markers."""

    comparison: Comparison
    svg: Markup
    legend: tuple[Point, ...]


def write_report(folder: Path) -> Path:
    """Read a run's folder, write its summary and report; returns the report's path."""
    has_plan, has_fidelity = (folder / PLAN_FILE).exists(), (folder / FIDELITY_FILE).exists()
    if not (has_plan or has_fidelity):
        raise ReverieError(f"{folder}: found neither {PLAN_FILE} nor {FIDELITY_FILE}; expected the folder of a run")
    curves, shown = read_fidelity(folder)
    parts: dict[str, Any] = {"name": folder.resolve().name, "curves": curves, "fidelity_films": shown}
    parts |= _run_parts(folder, write_summary(folder)) if has_plan else NO_RUN
    path = folder / FILE
    write_text(path, render(parts, [*parts["films"], *parts["mode_films"], *shown]))
    return path


NO_RUN: Mapping[str, Any] = {
    "summary": None, "verdict": wording.NOTHING, "standings": None, "ranking": [], "view": None, "predicting": [], "first": [],
    "any_harm": False, "views": [], "silent": [], "figures": [], "comparisons": [], "uncorrected": [], "axes": [], "modes": None, "reliabilities": [],
    "errors_held_out": {}, "absolute": None, "films": [], "mode_films": [], "limits": [], "receipts": [], "n_rows": 0,
}  # fmt: skip


def _run_parts(folder: Path, summary: Summary) -> dict[str, Any]:
    view, comparison = wording.main_view(summary), wording.main_comparison(summary)
    standing = summary.standings[view] if view else None
    ordered = sorted(summary.comparisons, key=lambda c: (ROLES.index(c.role), -len(c.policies), c.view))
    predictions = [c.view for c in ordered if c.role == "prediction"]
    predicting = [v for v in predictions if View(v.world + SCRIPTS, v.judge) not in predictions]
    found_axes = costs(summary.axes, summary.plan, view) if view and summary.axes else []
    modes = failure_modes(folder, summary.table, view) if view else None
    return {
        "summary": summary,
        "verdict": wording.verdict(summary, standing),
        "standings": standing,
        "view": view,
        "predicting": predicting,
        "ranking": _ranking(summary, standing, predicting) if standing else [],
        "any_harm": any(r.harm for r in summary.rates),
        "views": _views(summary, view),
        "silent": [(v, _left_out(summary, v)) for v in summary.table.outcomes if not _scored(summary, v)],
        "figures": [_figure(c) for c in ordered if c.role != "judge alone"],
        "first": [comparison, *wording.beside(summary, comparison)] if comparison else [],
        "comparisons": ordered,
        "uncorrected": [formats.view_words(c.view) for c in ordered if c.bias_corrected is None],
        "axes": found_axes,
        "modes": modes,
        "reliabilities": [Reliable(r, reliability_figure(r)) for r in reliabilities(folder, summary.table)],
        "errors_held_out": held_out_errors(summary.plan),
        "absolute": _absolute(folder, summary),
        "limits": wording.limits(summary, found_axes, modes),
        "receipts": [r.to_dict() for r in RECEIPTS.read(folder)],
        "n_rows": export(folder, folder / ROWS),
        **_films(folder, summary, comparison, modes),
    }


def _absolute(folder: Path, summary: Summary) -> dict[str, Any] | None:
    """What `reverie calibrate` was asked, answered from the records as they are now."""
    record = read_calibration(folder, summary.table)
    if record is None:
        return None
    asked, found = record
    maps = (*calibration.maps("policy", found.by_policy), *calibration.maps("task", found.by_task))
    return {
        "asked": asked,
        "found": found,
        "lines": calibration.lines(found),
        "pooled": calibration.pooled(found),
        "maps": maps,
        "limits": calibration.limits(found),
    }


def _films(folder: Path, summary: Summary, comparison: Comparison | None, modes: FailureModes | None) -> dict[str, Any]:
    """All that fit; examples of failure modes go first."""
    predicted = comparison.view if comparison else None
    of_modes = within(mode_films(folder, summary, modes, predicted) if modes else [], MAX_BYTES // 2)
    return {"mode_films": of_modes, "films": within(films(folder, summary, predicted), MAX_BYTES // 2)}


def _views(summary: Summary, first: View | None) -> list[tuple[View, list[Rate]]]:
    """Every view in which anything was scored, the ranking's own first."""
    scored = sorted((v for v in summary.table.outcomes if _scored(summary, v)), key=lambda v: v != first)
    return [(v, summary.rates_of(v)) for v in scored]


def _scored(summary: Summary, view: View) -> bool:
    return any(r.success.value is not None for r in summary.rates_of(view))


def _left_out(summary: Summary, view: View) -> dict[str, int]:
    return dict(sum((Counter(r.left_out) for r in summary.rates_of(view)), Counter[str]()))


def _ranking(summary: Summary, standing: Standings, predicting: list[View]) -> list[Ranked]:
    """The standings' own rates and intervals: words and table say the same."""
    elsewhere = {(r.view, r.policy): r for r in summary.rates}
    rows = []
    for s in standing.policies:
        known = elsewhere.get((standing.view, s.policy), Rate(standing.view, s.policy, s.success, {}, {}, {}))
        rate = replace(known, success=s.success, left_out=s.left_out)
        rows.append(Ranked(rate, s.letters, tuple(elsewhere.get((v, s.policy)) for v in predicting), s.corrected))
    return rows


def _figure(comparison: Comparison) -> Figure:
    pairs = zip(comparison.policies, comparison.true, comparison.predicted, strict=True)
    points = tuple(Point(i, policy, true, predicted) for i, (policy, true, predicted) in enumerate(pairs, start=1))
    x_label = f"success in {comparison.truth.world}, % ({comparison.truth.judge})"
    y_label = f"in {formats.world_words(comparison.view.world)}, % ({comparison.view.judge})"
    return Figure(comparison, scatter(points, x_label, y_label), points)


def reliability_figure(found: Reliability) -> Markup:
    """One marker per bin, numbered as in the table beside it."""
    said = [Estimate(b.said, None, None, b.true.n, "mean probability", 0.95) for b in found.bins]
    points = [Point(i, f"{b.low:g} to {b.high:g}", x, b.true) for i, (b, x) in enumerate(zip(found.bins, said, strict=True), start=1)]  # fmt: skip
    return scatter(points, f"probability that {found.view.judge} says, %", "true success, %")


def render(parts: Mapping[str, Any], shown: list[Film]) -> str:
    environment = Environment(
        loader=PackageLoader("reverie.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    environment.globals |= {"bar": interval_bar, "change_bar": change_bar, "all_modes": MODES, "rows_file": ROWS}
    for name in (
        "percent",
        "plain_percent",
        "points",
        "number",
        "drop_one",
        "p_value",
        "counts",
        "view_words",
        "world_words",
    ):
        environment.filters[name] = getattr(formats, name)
    # Inside <script>, "<" is written as an escape so that no text of a film can end the element.
    film_data = json.dumps([[p.film for p in film.panels] for film in shown]).replace("<", "\\u003c")
    style, script = (Path(__file__).with_name(f"page.{kind}").read_text() for kind in ("css", "js"))
    return environment.get_template("page.html.j2").render(
        **parts, film_data=Markup(film_data), style=Markup(style), script=Markup(script), absent=formats.ABSENT
    )


__all__ = ["FILE", "Curve", "render", "write_report"]
