"""The picture of `bench/two_ways.py`: from above, every way that was taken past the post, a panel for each policy, over the
faint ways of the demonstrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from two_ways_data import POST, POST_RADIUS, TARGET, TARGET_RADIUS

COLOURS = {
    "left": (0, 114, 178),
    "right": (213, 94, 0),
    "touched": (40, 40, 40),
    "short": (204, 121, 167),
}  # Okabe and Ito
GREY, PALE, FAINT, GREEN = (90, 90, 90), (205, 205, 205), (228, 228, 228), (0, 158, 115)
PANEL, GAP, HEAD, FOOT, ROW_HEAD = (168, 224), 10, 42, 66, 36  # pixels of the finished picture
WIDE_M, NEAR_M = 0.36, -0.03  # what a panel shows: across, and where its lower edge is
FINE = 2  # drawn larger and shrunk: smooth lines


@dataclass(frozen=True)
class Panel:
    """ways: (outcome, positions [F, 2] in metres) of every run; behind: positions of demonstrations; shares: of each outcome
    and of `reached`; name, says: two lines above it."""

    name: str
    says: str
    ways: Sequence[tuple[str, NDArray[np.float32]]]
    shares: Mapping[str, float]
    behind: Sequence[NDArray[np.float32]] = ()


def draw(path: Path, rows: Mapping[str, Sequence[Panel | None]]) -> None:
    """A row of panels under each of the titles; None leaves a place empty for the explanation of the colours."""
    columns, high = len(next(iter(rows.values()))), HEAD + PANEL[1] + FOOT
    size = columns * (PANEL[0] + GAP) + GAP, len(rows) * (ROW_HEAD + high)
    image = Image.new("RGB", (size[0] * FINE, size[1] * FINE), "white")
    pen = ImageDraw.Draw(image, "RGBA")
    for i, (title, panels) in enumerate(rows.items()):
        top = i * (ROW_HEAD + high)
        _text(pen, (GAP, top + 8), title, 17)
        for j, panel in enumerate(panels):
            corner = GAP + j * (PANEL[0] + GAP), top + ROW_HEAD
            _key(pen, corner) if panel is None else _panel(pen, corner, panel)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.resize(size, Image.Resampling.LANCZOS).quantize(128).save(path, optimize=True)


def _panel(pen: ImageDraw.ImageDraw, corner: tuple[int, int], panel: Panel) -> None:
    x, y = corner
    _text(pen, (x, y), panel.name, 15)
    _text(pen, (x, y + 18), panel.says, 13, GREY)
    frame = (x, y + HEAD)
    _ground(pen, frame)
    for shown in panel.behind:
        pen.line([_pixel(frame, p) for p in shown], FAINT, FINE)
    for outcome, way in panel.ways:
        pen.line([_pixel(frame, p) for p in way], (*COLOURS[outcome], 90), FINE)
    below, shares = y + HEAD + PANEL[1] + 4, {name: _percent(value) for name, value in panel.shares.items()}
    _text(pen, (x, below), f"{shares['left']} left", 14, COLOURS["left"])
    _text(pen, (x + PANEL[0], below), f"{shares['right']} right", 14, COLOURS["right"], "ra")
    _text(pen, (x, below + 19), f"{shares['touched']} into the post", 14, COLOURS["touched"])
    _text(pen, (x, below + 38), f"{shares['reached']} to the target", 14, GREEN)


def _ground(pen: ImageDraw.ImageDraw, frame: tuple[int, int]) -> None:
    """The table, the target, and the post as thick as what a hand must keep away from."""
    x, y = frame
    box = [x * FINE, y * FINE, (x + PANEL[0]) * FINE, (y + PANEL[1]) * FINE]
    pen.rectangle(box, (250, 250, 250), PALE, 1)
    for middle, radius, colour in ((POST, POST_RADIUS, PALE), (TARGET, TARGET_RADIUS, (*GREEN, 90))):
        far_left, near_right = middle + np.array([[radius], [-radius]])
        pen.ellipse([*_pixel(frame, far_left), *_pixel(frame, near_right)], colour)


def _pixel(frame: tuple[int, int], place: NDArray[np.floating]) -> tuple[float, float]:
    """Metres to pixels: ahead is up, left is left."""
    scale = PANEL[0] / WIDE_M
    across, up = PANEL[0] / 2 - place[1] * scale, PANEL[1] - (place[0] - NEAR_M) * scale
    return (frame[0] + across) * FINE, (frame[1] + up) * FINE


def _key(pen: ImageDraw.ImageDraw, corner: tuple[int, int]) -> None:
    x, y = corner[0], corner[1] + HEAD + 30
    for middle, colour, text in ((y, PALE, "the post"), (y + 24, (*GREEN, 90), "the target")):
        pen.ellipse([v * FINE for v in (x, middle - 7, x + 14, middle + 7)], colour)
        _text(pen, (x + 24, middle), text, 14, GREY, "lm")
    lines = (
        (COLOURS["left"], "past it on the left"),
        (COLOURS["right"], "on the right"),
        (COLOURS["touched"], "into it"),
        (FAINT, "demonstrated"),
    )
    for i, (colour, text) in enumerate(lines):
        middle = y + 56 + 24 * i
        pen.line([v * FINE for v in (x, middle, x + 16, middle)], colour, (4 if colour == FAINT else 2) * FINE)
        _text(pen, (x + 24, middle), text, 14, GREY, "lm")


def _percent(share: float) -> str:
    """199 of 200 are not all."""
    return f"{100 * share:.1f} %" if round(100 * share) in (0, 100) and share not in (0, 1) else f"{100 * share:.0f} %"


def _text(pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: tuple[int, ...] = (30, 30, 30), anchor: str = "la") -> None:  # fmt: skip
    pen.text((at[0] * FINE, at[1] * FINE), text, colour, ImageFont.load_default(size * FINE), anchor)
