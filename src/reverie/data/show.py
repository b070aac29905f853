"""A DatasetSummary as text for a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reverie.core import ActionSpec, ObservationSpec
from reverie.data.summary import DatasetSummary, DimensionRange

INSTRUCTIONS_SHOWN = 20


def render_summary(summary: DatasetSummary) -> RenderableType:
    """Everything of the summary, for `rich.print`."""
    parts: list[RenderableType] = [_overview(summary), _specs(summary), _instructions(summary)]
    parts += [_ranges(part, ranges) for part, ranges in summary.ranges.items()]
    return Group(*parts)


def _overview(summary: DatasetSummary) -> Table:
    s = summary
    table = Table("", "", title=Text(s.root), show_header=False, title_justify="left")
    table.add_row("episodes", f"{s.n_episodes:,}: {s.n_frames:,} frames, {s.n_actions:,} actions, {s.hours:.2f} h")
    table.add_row("steps an episode", f"{s.steps_min} to {s.steps_max}, median {s.steps_median:g}")
    table.add_row("outcome", f"{s.n_success} success, {s.n_failure} failure, {s.n_unlabelled} unlabelled")
    if s.labelled_by:
        table.add_row("labelled by", _counts(s.labelled_by))
    table.add_row("sources", _counts(s.sources))
    table.add_row("splits", _counts(s.splits))
    return table


def _counts(pairs: tuple[tuple[str, int], ...]) -> Text:
    return Text(", ".join(f"{text} {count}" for text, count in pairs))


def _specs(summary: DatasetSummary) -> Table:
    title = "specs (deduced: units, modes, frame and signs are guesses)" if summary.specs_deduced else "specs"
    table = Table("", "", title=title, show_header=False, title_justify="left")
    for name, value in _observation_lines(summary.observation_spec) + _action_lines(summary.action_spec):
        table.add_row(name, Text(value))
    return table


def _observation_lines(spec: ObservationSpec) -> list[tuple[str, str]]:
    return [
        ("cameras", ", ".join(f"{c.name} {c.height}x{c.width}" for c in spec.cameras) or "none"),
        ("commanded", ", ".join(spec.commanded) or "none"),
        ("measured", ", ".join(spec.measured) or "none"),
        ("extras", ", ".join(spec.extras) or "none"),
        ("a frame every", f"{spec.frame_every} control steps"),
    ]


def _action_lines(spec: ActionSpec) -> list[tuple[str, str]]:
    numbers = ", ".join(f"{n} [{u or '?'}, {m}]" for n, u, m in zip(spec.names, spec.units, spec.modes, strict=True))
    signs = f"frame {spec.frame}, rotation {spec.rotation}, gripper {spec.gripper}, {spec.control_hz:g} Hz"
    return [("action", numbers), ("", signs)]


def _instructions(summary: DatasetSummary) -> Table:
    table = Table("episodes", "instruction", title=f"{len(summary.instructions)} instructions", title_justify="left")
    for text, count in summary.instructions[:INSTRUCTIONS_SHOWN]:
        table.add_row(str(count), Text(text or "(none)"))
    hidden = summary.instructions[INSTRUCTIONS_SHOWN:]
    if hidden:
        table.add_row(str(sum(count for _, count in hidden)), f"... of {len(hidden)} more")
    return table


def _ranges(part: str, ranges: tuple[DimensionRange, ...]) -> Table:
    table = Table("number", "unit", "min", "max", "mean", "std", "", title=part, title_justify="left")
    for r in ranges:
        numbers = (f"{value:.4g}" for value in (r.low, r.high, r.mean, r.std))
        table.add_row(Text(r.name), r.unit, *numbers, "CONSTANT" if r.constant else "WRAPS" if r.wraps else "")
    return table
