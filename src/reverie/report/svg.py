"""Figures as inline SVG: predicted against true, intervals as small bars, curves over time.

Every figure reads without colour: markers are numbered, lines differ in their dashes. Colours are Okabe and Ito's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from reverie.core.estimate import Estimate

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
SIDE, LEFT, TOP, RIGHT, BOTTOM = 320, 46, 12, 14, 40


@dataclass(frozen=True)
class Point:
    """One policy: its number in the legend, its name, true (x) and predicted (y) rate."""

    number: int
    label: str
    x: Estimate
    y: Estimate


@dataclass(frozen=True)
class Line:
    """One curve; `low` and `high` shade its interval. dashed: baselines."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Axes:
    """Maps data to pixels of a plot with room for its labels."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int = SIDE
    height: int = SIDE

    def x(self, value: float) -> float:
        low, high = self.x_range
        return round(LEFT + (value - low) / (high - low) * (self.width - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return round(self.height - BOTTOM - (value - low) / (high - low) * (self.height - TOP - BOTTOM), 1)


def interval_bar(estimate: Estimate) -> Markup:
    """A rate on a line from 0 to 100 %, with its interval; nothing where the rate is absent."""
    if estimate.value is None:
        return Markup("")
    whisker = ""
    if estimate.low is not None and estimate.high is not None:
        whisker = f'<line x1="{_bar(estimate.low)}" x2="{_bar(estimate.high)}" y1="8" y2="8" stroke="{BLUE}" stroke-width="3"/>'
    return Markup(
        '<svg class="bar" viewBox="0 0 132 16" width="132" height="16" aria-hidden="true">'
        '<line x1="6" x2="126" y1="8" y2="8" stroke="#ccc"/>'
        f'{whisker}<circle cx="{_bar(estimate.value)}" cy="8" r="4.5" fill="{BLUE}"/></svg>'
    )


def change_bar(estimate: Estimate) -> Markup:
    """A difference of rates on a line from -100 to 100 points, with zero marked; nothing where it is absent."""
    if estimate.value is None:
        return Markup("")
    whisker = ""
    if estimate.low is not None and estimate.high is not None:
        left, right = (_bar((v + 1) / 2) for v in (estimate.low, estimate.high))
        whisker = f'<line x1="{left}" x2="{right}" y1="8" y2="8" stroke="{ORANGE}" stroke-width="3"/>'
    return Markup(
        '<svg class="bar" viewBox="0 0 132 16" width="132" height="16" aria-hidden="true">'
        '<line x1="6" x2="126" y1="8" y2="8" stroke="#ccc"/><line x1="66" x2="66" y1="1" y2="15" stroke="#777"/>'
        f'{whisker}<circle cx="{_bar((estimate.value + 1) / 2)}" cy="8" r="4.5" fill="{ORANGE}"/></svg>'
    )


def _bar(value: float) -> float:
    return round(6 + 120 * value, 1)


def scatter(points: Sequence[Point], x_label: str, y_label: str) -> Markup:
    """Predicted against true success in percent; on the diagonal the prediction is right."""
    axes = Axes((0, 100), (0, 100))
    parts = [_frame(axes, [0, 25, 50, 75, 100], [0, 25, 50, 75, 100], x_label, y_label)]
    parts.append(
        f'<line x1="{axes.x(0)}" y1="{axes.y(0)}" x2="{axes.x(100)}" y2="{axes.y(100)}" stroke="{GREY}" stroke-dasharray="4 4"/>'
    )
    parts += [_whiskers(p, axes) for p in points] + [_marker(p, axes) for p in points]
    return _svg(axes, parts, f"{y_label} against {x_label}")


def _whiskers(point: Point, axes: Axes) -> str:
    x, y = axes.x(100 * (point.x.value or 0)), axes.y(100 * (point.y.value or 0))
    lines = ""
    if point.x.low is not None and point.x.high is not None:
        lines += f'<line x1="{axes.x(100 * point.x.low)}" x2="{axes.x(100 * point.x.high)}" y1="{y}" y2="{y}"/>'
    if point.y.low is not None and point.y.high is not None:
        lines += f'<line x1="{x}" x2="{x}" y1="{axes.y(100 * point.y.low)}" y2="{axes.y(100 * point.y.high)}"/>'
    return f'<g stroke="{BLUE}" stroke-opacity="0.45" stroke-width="1.5">{lines}</g>'


def _marker(point: Point, axes: Axes) -> str:
    x, y = axes.x(100 * (point.x.value or 0)), axes.y(100 * (point.y.value or 0))
    return (
        f'<g><title>{escape(point.label)}</title><circle cx="{x}" cy="{y}" r="8" fill="#fff" stroke="{BLUE}" stroke-width="2"/>'
        f'<text x="{x}" y="{y + 3.5}" text-anchor="middle" class="mark">{point.number}</text></g>'
    )


def curves(lines: Sequence[Line], x_label: str, y_label: str) -> Markup:
    """Lines over time, with shaded intervals."""
    values = [v for line in lines for side in (line.y, line.low or (), line.high or ()) for v in side]
    times = [v for line in lines for v in line.x]
    margin = 0.08 * (max(values) - min(values)) or 0.5
    axes = Axes((min(times), max(times) or 1.0), (min(values) - margin, max(values) + margin), 2 * SIDE, SIDE - 60)
    parts = [_frame(axes, _ticks(*axes.x_range), _ticks(*axes.y_range), x_label, y_label)]
    for line, colour in zip(lines, (BLUE, ORANGE, GREEN, GREY) * len(lines), strict=False):
        parts.append(_line(line, colour, axes))
    return _svg(axes, parts, f"{y_label} over {x_label}")


def _line(line: Line, colour: str, axes: Axes) -> str:
    dash = ' stroke-dasharray="6 4"' if line.dashed else ""
    shade = ""
    if line.low is not None and line.high is not None:
        outline = _path([*zip(line.x, line.high, strict=True), *reversed([*zip(line.x, line.low, strict=True)])], axes)
        shade = f'<path d="{outline} Z" fill="{colour}" fill-opacity="0.15"/>'
    curve = f'<path d="{_path([*zip(line.x, line.y, strict=True)], axes)}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    return shade + curve + _label(line, colour, axes)


def _label(line: Line, colour: str, axes: Axes) -> str:
    """Above the line at two thirds of its length, on a white halo."""
    at = 2 * len(line.x) // 3
    style = f"fill:{colour};paint-order:stroke;stroke:#fff;stroke-width:4px;font-weight:600"
    x, y = axes.x(line.x[at]), axes.y(line.y[at]) - 7
    return f'<text x="{x}" y="{y}" text-anchor="middle" style="{style}">{escape(line.label)}</text>'


def _path(points: Sequence[tuple[float, float]], axes: Axes) -> str:
    return "M " + " L ".join(f"{axes.x(x)} {axes.y(y)}" for x, y in points)


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers within the range."""
    step = 10.0 ** len(str(int(high - low))) if high - low >= 1 else 1.0
    while (high - low) / step < 4:
        step /= 2 if str(step).strip("0.")[:1] in ("1", "2") else 2.5
    first = int(low / step) - 1
    return [round(i * step, 6) for i in range(first, first + 20) if low <= i * step <= high]


def _frame(axes: Axes, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, y_label: str) -> str:
    left, right = axes.x(axes.x_range[0]), axes.x(axes.x_range[1])
    bottom, top = axes.y(axes.y_range[0]), axes.y(axes.y_range[1])
    grid = "".join(f'<line x1="{axes.x(t)}" x2="{axes.x(t)}" y1="{top}" y2="{bottom}"/>' for t in x_ticks)
    grid += "".join(f'<line x1="{left}" x2="{right}" y1="{axes.y(t)}" y2="{axes.y(t)}"/>' for t in y_ticks)
    names = "".join(f'<text x="{axes.x(t)}" y="{bottom + 14}" text-anchor="middle">{t:g}</text>' for t in x_ticks)
    names += "".join(f'<text x="{left - 5}" y="{axes.y(t) + 4}" text-anchor="end">{t:g}</text>' for t in y_ticks)
    middle = (top + bottom) / 2
    return (
        f'<g stroke="#e4e4e4">{grid}</g><g class="tick">{names}</g>'
        f'<text x="{(left + right) / 2}" y="{bottom + 32}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(y_label)}</text>'
    )


def _svg(axes: Axes, parts: Sequence[str], title: str) -> Markup:
    return Markup(
        f'<svg class="figure" viewBox="0 0 {axes.width} {axes.height}" width="{axes.width}" height="{axes.height}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
