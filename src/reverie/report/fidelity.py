"""Fidelity curves: how close generated frames stay to real ones over time, as another program measured it.

`fidelity.json` in a run's folder: {"v": 1, "curves": [...], "films": [...]}. This file reads and checks it; it measures
nothing. A curve: name, unit, x (seconds), y, and optionally low, high, n, note, baselines [{name, y}]. A film: title,
caption, clips [{label, path}], paths relative to the folder.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reverie.core import ReverieError
from reverie.data.video import read_all_frames
from reverie.report.films import Film, Panel, picture
from reverie.report.svg import Line, curves

FILE = "fidelity.json"


@dataclass(frozen=True)
class Curve:
    """One figure: a measured line, its baselines, and what it rests on."""

    name: str
    unit: str
    lines: tuple[Line, ...]
    n: int | None
    note: str

    @property
    def figure(self) -> Markup:
        return curves(self.lines, "seconds", f"{self.name} ({self.unit})" if self.unit else self.name)

    @property
    def summary(self) -> str:
        """First and last values in words, for readers without the figure."""
        said = [
            f"{line.label}: {line.y[0]:.3g} at {line.x[0]:g} s, {line.y[-1]:.3g} at {line.x[-1]:g} s"
            for line in self.lines
        ]
        return "; ".join(said) + (f". n = {self.n}." if self.n is not None else ".")


def read_fidelity(folder: Path) -> tuple[list[Curve], list[Film]]:
    """Curves and films of a run; both empty where nothing was measured."""
    path = folder / FILE
    if not path.exists():
        return [], []
    try:
        record = json.loads(path.read_text())
        found = [_curve(c) for c in record["curves"]]
        return found, [_film(folder, f) for f in record.get("films", [])]
    except (ValueError, KeyError, TypeError) as error:
        raise ReverieError(
            f"{path}: not a fidelity record ({error!r}); expected v 1 with curves of name, unit, x, y"
        ) from None


def _curve(value: dict[str, Any]) -> Curve:
    x = value["x"]
    lines = [Line(value["name"], x, value["y"], value.get("low"), value.get("high"))]
    lines += [Line(b["name"], x, b["y"], dashed=True) for b in value.get("baselines", [])]
    for line in lines:
        for side in (line.y, line.low, line.high):
            if side is not None and (len(side) != len(x) or not x or not all(math.isfinite(v) for v in side)):
                raise ValueError(f"curve {line.label!r} needs {len(x)} finite numbers, at least one")
    return Curve(value["name"], value.get("unit", ""), tuple(lines), value.get("n"), value.get("note", ""))


def _film(folder: Path, value: dict[str, Any]) -> Film:
    panels = []
    for clip in value["clips"]:
        frames = read_all_frames(folder / clip["path"])
        film = picture(frames) | {"times": [], "overlay": None}
        panels.append(Panel(clip["label"], clip.get("note", ""), film))
    return Film(value["title"], value.get("caption", ""), tuple(panels))
