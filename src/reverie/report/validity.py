"""The honest report of how well an evaluator predicts success: as text for a terminal, and as one self-contained page.

Sentences are made from the numbers, never stored. What the data do not support stands beside what they say.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reverie.core.files import write_text
from reverie.evaluation.comparison import Correlation
from reverie.evaluation.levels import Level
from reverie.evaluation.published import Checked
from reverie.evaluation.validity import Validity
from reverie.report.formats import drop_one, number, p_value, points
from reverie.report.svg import Point, scatter

FEW, NARROW, CARRIES = 10, 0.3, 0.1
"""Policies below which intervals are wide; a span of real rates; a change of r when one policy is left out."""

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


def said(found: Validity) -> list[str]:
    """What the policy level says, in sentences."""
    level, k = found.overall, len(found.overall.units)
    r = level.pearson.over_policies
    if k == 0:
        lines = ["No policy has every task: there is no policy level."]
    elif r.value is None:
        lines = [f"Over {k} policies there is no correlation to report: {r.reason}."]
    else:
        lines = [f"Over {k} policies Pearson's r is {_with(level.pearson)}."]
        lines += [
            f"Spearman's rho is {number(level.spearman.over_policies)}, Kendall's tau-b {number(level.kendall.over_policies)}."
        ]
    if level.mmrv.value is not None:
        noise = level.mmrv_from_noise
        floor = f"; trial noise alone would give {number(noise)}" if noise.value is not None else ""
        lines.append(f"MMRV is {number(level.mmrv, 3)}{_over_trials(level)}{floor}.")
    if level.bias.value is not None:
        lines.append(f"Predicted minus real is {points(level.bias)} on average.")
    if level.choice.regret is not None and k > 1:
        chosen, best = (_named(level, which) for which in (level.choice.chosen, level.choice.best))
        lines.append(
            f"Choosing by the prediction takes {chosen} and costs {100 * level.choice.regret:.0f} points; best is {best}."
        )
    if found.cells is not None:
        pooled = found.cells.pearson.over_policies
        within = found.within_tasks.value if found.within_tasks else None
        inner = "" if within is None else f"; {within:.2f} within tasks"
        lines.append(f"Over the {len(found.cells.units)} cells of policy and task r is {_plain(pooled.value)}{inner}.")
    return lines


def limits(found: Validity) -> list[str]:
    """What the data do not support, the gravest first."""
    level, k = found.overall, len(found.overall.units)
    lines = ["Any ranking over all tasks: no policy has every task."] if k == 0 else []
    if 0 < k < FEW:
        lines.append(f"A statement about other policies: {k} {'stands' if k == 1 else 'stand'} behind it{_floor(k)}.")
    lines += [*_noise(level), *_spread(level), *_carried(level), *_ties(level), *_order(level), *_absolute(level)]
    if level.pearson.over_trials.low is not None:
        lines.append(
            "The upper limits over trials: resampling adds noise to noise, and they lie too low where a prediction is nearly perfect."
        )
    within = found.within_tasks.value if found.within_tasks else None
    pooled = found.cells.pearson.over_policies.value if found.cells else None
    if within is not None and pooled is not None and pooled - within > CARRIES:
        lines.append(
            f"The pooled r of {pooled:.2f} over cells: within tasks it is {within:.2f}; the rest is that some tasks are easier for all."
        )
    if found.cells is not None:
        lines.append("Any interval over cells: those of one policy, or of one task, are not independent.")
    if found.left_out and k:
        lines.append(f"Anything about {_listed(found.left_out)} at policy level: they lack a task.")
    if found.impossible:
        lines.append(f"That these are success rates of n trials: no count gives {_listed(found.impossible)}.")
    return lines


def _noise(level: Level) -> list[str]:
    if level.neighbours is None:
        return ["How much of this is trial noise: the table gives no n."]
    r, perfect = level.pearson.over_policies.value, level.pearson_from_noise
    if r is None or perfect.low is None or perfect.high is None:
        return []
    if r > perfect.high:
        return [f"That r of {r:.3f} is as it seems: even a perfect prediction would be within {perfect.low:.2f} and {perfect.high:.2f} with so few trials, unless both sides share them."]  # fmt: skip
    if r >= perfect.low:
        return [f"That the prediction errs at all: r of {r:.2f} is what a perfect one would have with these trials ({perfect.low:.2f} to {perfect.high:.2f})."]  # fmt: skip
    return []


def _spread(level: Level) -> list[str]:
    real = [e.value for e in level.real if e.value is not None]
    span = max(real, default=0.0) - min(real, default=0.0)
    if len(real) < 2 or span >= NARROW:
        return []
    return [f"The same r elsewhere: real rates span {100 * span:.0f} points only, and r falls with the span."]


def _carried(level: Level) -> list[str]:
    """One policy that makes the correlation."""
    r, dropped = level.pearson.over_policies.value, level.pearson.drop_one
    if r is None or dropped.low is None or dropped.low_without is None or r - dropped.low <= CARRIES:
        return []
    return [f"r of {r:.2f} without {level.units[dropped.low_without]}: then it is {dropped.low:.2f}."]


def _ties(level: Level) -> list[str]:
    tied = [
        name
        for name, side in (("predicted", level.predicted), ("real", level.real))
        if any(a.value == b.value for a, b in combinations(side, 2))
    ]
    values = sorted({round(v, 3) for v in level.conventions.values()})
    if not tied or len(values) < 2:
        return []
    return [f"One MMRV: {' and '.join(tied)} rates are tied, and conventions give {values[0]:g} to {values[-1]:g}."]


def _order(level: Level) -> list[str]:
    unclear = sum(p > 0.05 for p in level.neighbours or ())
    if not unclear:
        return []
    return [
        f"The real order itself: {unclear} of {len(level.neighbours or ())} neighbours in it cannot be told apart by their real trials."
    ]


def _absolute(level: Level) -> list[str]:
    low, high = level.bias.low, level.bias.high
    if low is None or high is None or low <= 0 <= high:
        return []
    return [
        f"Absolute success: predictions are {points(level.bias)} off; `reverie calibrate` puts that right with a few real trials."
    ]


def _floor(k: int) -> str:
    if not 2 <= k <= 8:
        return ""
    orders = 1
    for i in range(2, k + 1):
        orders *= i
    return f", and no exact p can be below {1 / orders:.2g}"


def _with(found: Correlation) -> str:
    trials = f", {number(found.over_trials)} over trials" if found.over_trials.low is not None else ""
    dropped = f", {drop_one(found.drop_one)} with one left out" if found.drop_one.low is not None else ""
    return f"{number(found.over_policies)}{trials}{dropped}; {p_value(found.p)}"


def _over_trials(level: Level) -> str:
    found = level.mmrv_over_trials
    return "" if found.low is None or found.high is None else f" [{found.low:.3f}, {found.high:.3f}] over trials"


def _named(level: Level, which: Sequence[int]) -> str:
    return " or ".join(level.units[i] for i in which)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _plain(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _rows(found: Validity) -> list[tuple[str, int, tuple[str, ...]]]:
    levels = [("policies", found.overall), *(found.tasks.items() if len(found.tasks) > 1 else ())]
    levels += [("cells", found.cells)] if found.cells else []
    return [(name, len(level.units), _cells(level, name == "cells")) for name, level in levels]


def _cells(level: Level, cells: bool) -> tuple[str, ...]:
    """Cells have no Fisher interval: it takes them for independent."""
    correlations = (level.pearson.over_policies, level.spearman.over_policies, level.kendall.over_policies)
    return (
        *(_plain(c.value) if cells else number(c) for c in correlations),
        number(level.mmrv, 3),
        number(level.mmrv_from_noise, 3),
        points(level.bias) if not cells else points(level.bias).split(" [")[0],
        _plain(level.choice.regret),
        _plain(level.choice.top_one),
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
