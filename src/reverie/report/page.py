"""The page: a run's records become one self-contained HTML file. Sections appear only where their records exist."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie.core import ReverieError
from reverie.core.files import write_text
from reverie.evaluation.comparison import Comparison
from reverie.evaluation.outcomes import SCRIPTS, View
from reverie.evaluation.plan import FILE as PLAN_FILE
from reverie.evaluation.rates import Rate
from reverie.evaluation.summary import Summary, write_summary
from reverie.report import formats, wording
from reverie.report.fidelity import FILE as FIDELITY_FILE
from reverie.report.fidelity import Curve, read_fidelity
from reverie.report.films import Film, films
from reverie.report.svg import Point, interval_bar, scatter
from reverie.trials import RECEIPTS

FILE = "report.html"
ROLES = ("prediction", "replay bound", "control", "judge alone")


@dataclass(frozen=True)
class Ranked:
    """One line of the ranking: the policy's rate, and its rate in the views that predict it."""

    rate: Rate
    predicted: tuple[Rate | None, ...]
    separated: bool | None  # from the next line; None for the last


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
    write_text(path, render(parts, [*parts["films"], *shown]))
    return path


NO_RUN: Mapping[str, Any] = {
    "summary": None, "verdict": wording.NOTHING, "ranking": [], "view": None,
    "predicting": [], "first": [], "any_harm": False, "views": [], "silent": [], "figures": [], "comparisons": [], "films": [], "limits": [], "receipts": [],
}  # fmt: skip


def _run_parts(folder: Path, summary: Summary) -> dict[str, Any]:
    view, comparison = wording.main_view(summary), wording.main_comparison(summary)
    ordered = sorted(summary.comparisons, key=lambda c: (ROLES.index(c.role), -len(c.policies), c.view))
    predictions = [c.view for c in ordered if c.role == "prediction"]
    predicting = [v for v in predictions if View(v.world + SCRIPTS, v.judge) not in predictions]
    return {
        "summary": summary,
        "verdict": wording.verdict(summary),
        "view": view,
        "predicting": predicting,
        "ranking": _ranking(summary, view, predicting) if view else [],
        "any_harm": any(r.harm for r in summary.rates),
        "views": _views(summary, view),
        "silent": [(v, _left_out(summary, v)) for v in summary.table.outcomes if not _scored(summary, v)],
        "figures": [_figure(c) for c in ordered if c.role != "judge alone"],
        "first": [comparison, *wording.beside(summary, comparison)] if comparison else [],
        "comparisons": ordered,
        "films": films(folder, summary, comparison.view if comparison else None),
        "limits": wording.limits(summary),
        "receipts": [r.to_dict() for r in RECEIPTS.read(folder)],
    }


def _views(summary: Summary, first: View | None) -> list[tuple[View, list[Rate]]]:
    """Every view in which anything was scored, the ranking's own first."""
    scored = sorted((v for v in summary.table.outcomes if _scored(summary, v)), key=lambda v: v != first)
    return [(v, summary.rates_of(v)) for v in scored]


def _scored(summary: Summary, view: View) -> bool:
    return any(r.success.value is not None for r in summary.rates_of(view))


def _left_out(summary: Summary, view: View) -> dict[str, int]:
    return dict(sum((Counter(r.left_out) for r in summary.rates_of(view)), Counter[str]()))


def _ranking(summary: Summary, view: View, predicting: list[View]) -> list[Ranked]:
    elsewhere = {(r.view, r.policy): r for r in summary.rates}
    separated = {n.better: wording.is_separated(n) for n in summary.neighbours[view]}
    return [
        Ranked(rate, tuple(elsewhere.get((v, rate.policy)) for v in predicting), separated.get(rate.policy))
        for rate in summary.rates_of(view)
    ]


def _figure(comparison: Comparison) -> Figure:
    pairs = zip(comparison.policies, comparison.true, comparison.predicted, strict=True)
    points = tuple(Point(i, policy, true, predicted) for i, (policy, true, predicted) in enumerate(pairs, start=1))
    x_label = f"success in {comparison.truth.world}, % ({comparison.truth.judge})"
    y_label = f"in {formats.world_words(comparison.view.world)}, % ({comparison.view.judge})"
    return Figure(comparison, scatter(points, x_label, y_label), points)


def render(parts: Mapping[str, Any], shown: list[Film]) -> str:
    environment = Environment(
        loader=PackageLoader("reverie.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    environment.globals |= {"bar": interval_bar}
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
