"""The chapters' pictures, with pillow alone: curves over one axis, and enlarged frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Numbers = Sequence[float] | NDArray[np.floating] | NDArray[np.integer]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#777777", "#CC79A7")  # Okabe and Ito: told apart by everyone
DASHES = (0, 9, 3, 15, 6)  # and in print without colours
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 64, 20, 56, 52
_FINE = 2  # drawn twice as large and shrunk: smooth lines


def curves(path: str | Path, lines: Mapping[str, tuple[Numbers, Numbers]], x_label: str, y_label: str) -> None:
    """One line per (x, y), named above the plot."""
    at = [(np.asarray(x, float), np.asarray(y, float)) for x, y in lines.values()]
    x_low, x_high = _range([x for x, _ in at], 0)
    y_low, y_high = _range([y for _, y in at], 0.05)
    image = Image.new("RGB", (WIDTH * _FINE, HEIGHT * _FINE), "white")
    draw = ImageDraw.Draw(image)

    def pixels(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
        across = LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
        return np.stack([across, down], axis=-1) * _FINE

    for t in _ticks(x_low, x_high):
        bottom, top = pixels(np.array([t, t]), np.array([y_low, y_high]))
        draw.line([*bottom, *top], "#e4e4e4", _FINE)
        _text(draw, bottom, f"{t:g}", "mt", (0, 6))
    for t in _ticks(y_low, y_high):
        left, right = pixels(np.array([x_low, x_high]), np.array([t, t]))
        draw.line([*left, *right], "#e4e4e4", _FINE)
        _text(draw, left, f"{t:g}", "rm", (-6, 0))
    _text(draw, (WIDTH * _FINE / 2, HEIGHT * _FINE), x_label, "mb", (0, -8))
    _text(draw, (0, 0), y_label, "lt", (8, 6))
    for i, (name, (x, y)) in enumerate(zip(lines, at, strict=True)):
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        _line(draw, pixels(x, y), colour, dash)
        sample = np.array([[LEFT + 164 * i, 40], [LEFT + 164 * i + 26, 40]]) * _FINE
        _line(draw, sample, colour, dash)
        _text(draw, sample[1], name, "lm", (6, 0), colour)
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(path, optimize=True)


def enlarged(image: NDArray[np.uint8], times: int) -> Image.Image:
    """[H, W, 3] with every pixel `times` as wide and high."""
    return Image.fromarray(image.repeat(times, 0).repeat(times, 1))


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _line(draw: ImageDraw.ImageDraw, points: NDArray[np.floating], colour: str, dash: int) -> None:
    """A polyline [N, 2]; `dash`: pixels drawn and left out in turn, 0 for none left out."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    pieces = [(0.0, length[-1])] if not dash else [(s, s + dash * _FINE) for s in np.arange(0, length[-1], 2 * dash * _FINE)]  # fmt: skip
    for begin, end in pieces:
        s = [begin, *length[(length > begin) & (length < end)], min(end, length[-1])]
        piece = np.stack([np.interp(s, length, points[:, i]) for i in (0, 1)], axis=1)
        draw.line([(float(a), float(b)) for a, b in piece], colour, 2 * _FINE, joint="curve")


def _range(values: list[NDArray[np.floating]], margin: float) -> tuple[float, float]:
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    return float(low - margin * (high - low)), float(high + margin * (high - low))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within the range, four to ten of them."""
    step = next(s for k in range(-9, 12) for s in (10.0**k, 2 * 10.0**k, 5 * 10.0**k) if (high - low) / s <= 9)
    return [round(i * step, 9) for i in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _text(draw: ImageDraw.ImageDraw, at: Sequence[float] | NDArray[np.floating], text: str, anchor: str, shift: tuple[int, int], colour: str = "#333333") -> None:  # fmt: skip
    place = (float(at[0]) + shift[0] * _FINE, float(at[1]) + shift[1] * _FINE)
    draw.text(place, text, fill=colour, font=font(13 * _FINE), anchor=anchor)
