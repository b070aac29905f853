"""The honest report of how well an evaluator predicts success: as text for a terminal, and as one self-contained page.

What the data do not support stands beside what they say (`validity_words`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reverie.core.files import write_text
from reverie.evaluation.levels import Level
from reverie.evaluation.published import Checked
from reverie.evaluation.validity import Validity
from reverie.report.formats import number, points
from reverie.report.svg import Point, scatter
from reverie.report.validity_words import limits, plain, said

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Validity of {{ found.source }}</title><style>{{ style }}</style></head><body>
<header><h1>Validity of {{ found.source }}</h1>
<p class="sub">Predicted against real success. {{ found.overall.mmrv.method }}; 0 is a perfect order. Intervals are 95 %.</p></header>
<section id="verdict"><h2>What the numbers say</h2><ul class="verdict">{% for line in said %}<li>{{ line }}</li>{% endfor %}</ul></section>
<section id="limits"><h2>What they do not support</h2><ul>{% for line in limits %}<li>{{ line }}</li>{% endfor %}</ul></section>
<section id="figures"><h2>Predicted against real</h2><div class="figures">
{% for title, level, svg, legend in figures %}<figure><figcaption><strong>{{ title }}</strong></figcaption>{{ svg }}
<ol>{% for p in legend %}<li value="{{ p.number }}">{{ p.label }}</li>{% endfor %}</ol></figure>{% endfor %}</div></section>
<section id="levels"><h2>Every level</h2><div class="wide"><table class="dense"><thead><tr><th>level</th><th>n</th>
{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for name, n, cells in rows %}<tr><th scope="row">{{ name }}</th><td class="num">{{ n }}</td>
{% for cell in cells %}<td class="num">{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div></section>
{% if checked %}<section id="published"><h2>Published beside recomputed</h2><table class="dense"><thead><tr><th>scope</th>
<th>statistic</th><th>published</th><th>recomputed</th><th>verdict</th></tr></thead><tbody>
{% for cells in checked %}<tr>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></section>{% endif %}
</body></html>
"""
COLUMNS = ("Pearson r", "Spearman rho", "Kendall tau-b", "MMRV", "MMRV from noise alone", "bias", "regret", "top-1")


def text(found: Validity, checked: Sequence[Checked] = ()) -> str:
    """The report for a terminal."""
    lines = [f"{found.source}: predicted against real success", "", *said(found), ""]
    lines += [_row_text(name, n, cells) for name, n, cells in _rows(found)]
    lines += [f"({found.overall.mmrv.method}; 0 is a perfect order. Intervals are 95 %.)", ""]
    if checked:
        lines += ["Published beside recomputed:", *("  " + "; ".join(cells) for cells in map(_claim, checked)), ""]
    return "\n".join([*lines, "What these data do not support:", *(f"  - {line}" for line in limits(found))])


def write_page(found: Validity, path: Path, checked: Sequence[Checked] = ()) -> Path:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style = Path(__file__).with_name("page.css").read_text()
    parts: dict[str, Any] = {
        "found": found,
        "said": said(found),
        "limits": limits(found),
        "figures": [_figure(title, level) for title, level in _drawn(found)],
        "columns": COLUMNS,
        "rows": _rows(found),
        "checked": [_claim(c) for c in checked],
        "style": Markup(style),
    }
    write_text(path, environment.from_string(PAGE).render(**parts))
    return path


def _rows(found: Validity) -> list[tuple[str, int, tuple[str, ...]]]:
    levels = [("policies", found.overall), *(found.tasks.items() if len(found.tasks) > 1 else ())]
    levels += [("cells", found.cells)] if found.cells else []
    return [(name, len(level.units), _cells(level, name == "cells")) for name, level in levels]


def _cells(level: Level, cells: bool) -> tuple[str, ...]:
    """Cells have no Fisher interval: it takes them for independent."""
    correlations = (level.pearson.over_policies, level.spearman.over_policies, level.kendall.over_policies)
    return (
        *(plain(c.value) if cells else number(c) for c in correlations),
        number(level.mmrv, 3),
        number(level.mmrv_from_noise, 3),
        points(level.bias) if not cells else points(level.bias).split(" [")[0],
        plain(level.choice.regret),
        plain(level.choice.top_one),
    )


def _row_text(name: str, n: int, cells: Sequence[str]) -> str:
    return f"  {name} (n = {n}): " + "; ".join(f"{c} {v}" for c, v in zip(COLUMNS, cells, strict=True))


def _claim(checked: Checked) -> tuple[str, str, str, str, str]:
    claim = checked.claim
    under = f", but under {', '.join(checked.reproduced_under)}" if checked.reproduced_under else ""
    verdict = checked.verdict + (under if checked.verdict in ("nearly reproduced", "not reproduced") else "")
    decimals = max(2, -int(f"{claim.step:e}".partition("e")[2]))
    source = f" ({claim.source})" if claim.source else ""
    recomputed = "not defined" if checked.found is None else f"{checked.found:.{decimals}f}"
    return claim.scope, claim.statistic, f"{claim.value:.{decimals}f}{source}", recomputed, verdict


def _drawn(found: Validity) -> list[tuple[str, Level]]:
    return [("policies", found.overall), *(found.tasks.items() if len(found.tasks) > 1 else ())]


def _figure(title: str, level: Level) -> tuple[str, Level, Markup, tuple[Point, ...]]:
    triples = zip(level.units, level.real, level.predicted, strict=True)
    marks = tuple(Point(i, unit, real, predicted) for i, (unit, real, predicted) in enumerate(triples, start=1))
    return title, level, scatter(marks, "real success, %", "predicted, %"), marks
