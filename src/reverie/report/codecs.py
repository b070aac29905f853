"""The page of `reverie actions report`: what each codec loses on a data set, out of the record that was measured.

A record (JSON, v 1): dataset, action_spec, std [A] of the training actions, wraps (names of angles that jump by a turn),
fitted_on and measured_on (episodes), and for each horizon its rows: codec, setting, and either round_trip (see
`actions.round_trip`) or the reason why there is none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reverie.core.files import write_text
from reverie.report.svg import Line, curves

CONSTANT = 1e-6
"""Actions with a smaller spread in training are left out of errors in standard deviations."""
IN_FIGURE = (("uniform_bins", "uniform bins"), ("quantile_bins", "quantile bins"), ("fast", "FAST"))

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Action codecs on {{ record.dataset }}</title><style>{{ style }}</style></head><body>
<header><h1>Action codecs on {{ record.dataset }}</h1>
<p class="sub">Fitted on {{ record.fitted_on.episodes }} episodes, measured on {{ record.measured_on.episodes }} others:
chunks coded and decoded again, {{ "%g"|format(record.action_spec.control_hz) }} actions a second.</p>
{% if record.wraps %}<p class="note">{{ record.wraps|join(", ") }}: jumps by a turn within episodes, which every codec takes for
motion. Another rotation representation avoids it.</p>{% endif %}</header>
{% for part in parts %}
<section><h2>Chunks of {{ part.horizon }}</h2>
<p class="note">n = {{ part.n_chunks }} held-out chunks, {{ part.n_values }} values of each action.</p>
{% if part.figure %}<figure>{{ part.figure }}<figcaption class="note">Mean round-trip error (mean over the actions that vary, in
standard deviations of training, as a power of ten) against the bits that a chunk takes. {{ part.said }}</figcaption></figure>{% endif %}
{% for title, key in (("Mean absolute error", "mean_abs"), ("Largest absolute error", "max_abs"), ("Bias, mean of decoded - given", "bias"), ("Clipped, % of values", "clipped")) %}
<h3>{{ title }}</h3><div class="wide"><table class="dense"><thead><tr><th>codec</th><th>tokens a chunk</th><th>bits</th>
{% for name, unit in numbers %}<th>{{ name }}{% if key != "clipped" %}<br><small>{{ unit or "?" }}</small>{% endif %}</th>{% endfor %}</tr></thead><tbody>
{% for row in part.rows %}<tr><th>{{ row.codec }}<br><small>{{ row.setting }}</small></th>
{% if row.round_trip %}<td class="num">{{ "-" if row.round_trip.tokens_per_chunk is none else "%.1f"|format(row.round_trip.tokens_per_chunk) }}</td>
<td class="num">{{ "-" if row.round_trip.bits_per_chunk is none else "%.0f"|format(row.round_trip.bits_per_chunk) }}</td>
{% for value in row.round_trip[key] %}<td class="num">{{ ("%.2f"|format(100 * value)) if key == "clipped" else ("%.1e"|format(value)) }}</td>{% endfor %}
{% else %}<td class="absent" colspan="{{ 2 + numbers|length }}">{{ row.reason }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>
{% endfor %}</section>
{% endfor %}
<section><h2>How to read it</h2><p class="note">Values outside a codec's bounds are clipped: they make the largest errors.
A bias is what remains of many actions: where they are deltas, it is added up, step after step. For fast, what is
clipped are coefficients. Tokens of text are its integers. A codec is fitted on training episodes only.</p></section>
</body></html>
"""


def write_codec_page(record: Mapping[str, Any], path: Path) -> Path:
    """Render the record into one self-contained file; returns its path."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    spec = record["action_spec"]
    style = Path(__file__).with_name("page.css").read_text()
    parts = [_part(h, record["std"]) for h in record["horizons"]]
    numbers = list(zip(spec["names"], spec["units"], strict=True))
    page = environment.from_string(PAGE).render(record=record, parts=parts, numbers=numbers, style=Markup(style))
    write_text(path, page)
    return path


def _part(horizon: Mapping[str, Any], std: Sequence[float]) -> dict[str, Any]:
    lines = [line for line in (_line(horizon, *known, std) for known in IN_FIGURE) if line is not None]
    measured = next(row["round_trip"] for row in horizon["rows"] if row["round_trip"])
    said = "; ".join(f"{line.label}: {_ends(line)}" for line in lines)
    return {
        "horizon": horizon["horizon"],
        "rows": horizon["rows"],
        "n_chunks": measured["n_chunks"],
        "n_values": measured["n_values"],
        "figure": curves(lines, "bits a chunk", "log10 of the error") if lines else None,
        "said": said,
    }


def _line(horizon: Mapping[str, Any], codec: str, label: str, std: Sequence[float]) -> Line | None:
    """The codec's settings in the order of their bits; None where fewer than two were measured."""
    found = [row["round_trip"] for row in horizon["rows"] if row["codec"] == codec and row["in_figure"]]
    points = sorted((r["bits_per_chunk"], normalised(r["mean_abs"], std)) for r in found if r)
    points = [(x, y) for x, y in points if y > 0]
    if len(points) < 2:
        return None
    if codec == "quantile_bins":  # drawn from the right, so that its label stands away from that of uniform bins
        points.reverse()
    return Line(label, [x for x, _ in points], [float(np.log10(y)) for _, y in points], dashed=codec == "quantile_bins")


def _ends(line: Line) -> str:
    """The line in words, for readers without the figure."""
    found = sorted(zip(line.x, line.y, strict=True))
    return " and ".join(f"{10**y:.2g} at {x:.0f} bits" for x, y in (found[0], found[-1]))


def normalised(errors: Sequence[float], std: Sequence[float]) -> float:
    """The mean over the actions that vary, in standard deviations; 0 where none does."""
    ratios = [e / s for e, s in zip(errors, std, strict=True) if s > CONSTANT]
    return float(np.mean(ratios)) if ratios else 0.0
