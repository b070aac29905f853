"""The page of `reverie attend`: where a policy looks under two instructions, side by side, as one self-contained file.

Images are shown as they are and darkened where little attention goes, so that colours of things stay readable. Each
picture is stored once; what lies over it is SVG with numbers in it.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray
from PIL import Image

from reverie.core.files import write_text
from reverie.evaluation.attention import Heatmaps, Layer, Look, difference
from reverie.nn.grounding import SLOTS
from reverie.policies import LearnedPolicy
from reverie.policies.encoders import Place
from reverie.report.svg import BLUE, ORANGE

Array = NDArray[np.float64]
DARK = 0.6
"""Opacity of the veil where no attention goes."""
IN_VIEW = 0.5
"""A thing that is less likely in a view has no place in it."""
FEW = 36
"""So many cells a view at most have their number written in them."""
STROKES = {"target": (ORANGE, ""), "reference": (BLUE, "4 2")}
"""Colour and dashes of the frame around what a slot looks at."""
KINDS = {
    "action": "the action tokens themselves",
    "image": "images",
    "word": "words",
    "state": "the state",
    "readout": "older readouts",
    "style": "the style z",
    "step": "the diffusion step",
    "frame": "observed times",
}


@dataclass(frozen=True)
class SideBySide:
    """One frame, two looks. images: of every view, in order; why: how each instruction was chosen."""

    policy: LearnedPolicy
    episode: str
    frame: int
    time_s: float
    images: Mapping[str, NDArray[np.uint8]]
    looks: tuple[Look, Look]
    why: tuple[str, str]


def write_attention_page(page: SideBySide, path: Path) -> Path:
    """Render into one file, in a folder that is made if need be; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("reverie.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    style = Path(__file__).with_name("page.css").read_text() + _pictures(page.images)
    asked = list(zip("AB", page.looks, page.why, strict=True))
    parts = {
        "layers": _layers(page),
        "found": _found(page),
        "actions": _actions(page),
        "difference": difference(*page.looks),
    }
    write_text(
        path, environment.get_template("attention.html.j2").render(page=page, asked=asked, style=Markup(style), **parts)
    )
    return path


def _pictures(images: Mapping[str, NDArray[np.uint8]]) -> str:
    """A class for every view."""
    rules = []
    for i, image in enumerate(images.values()):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", optimize=True)
        rules.append(
            f".view{i} {{ background-image: url(data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}); }}"
        )
    return "\n".join(rules)


def _actions(page: SideBySide) -> dict[str, Any]:
    """The commands that are executed before the next look, at most five, and how much each number differs in the chunk."""
    a, b = page.looks
    shown = min(max(page.policy.n_action_steps, 1), 5)
    apart = np.abs(a.normalised - b.normalised).mean(0)
    spec = page.policy.action_spec
    rows = zip(spec.names, spec.units, a.actions[:shown].T, b.actions[:shown].T, apart, strict=True)
    return {"shown": min(shown, len(a.actions)), "horizon": len(a.actions), "rows": list(rows)}


def _layers(page: SideBySide) -> list[dict[str, Any]]:
    """For every layer a title and, for each instruction, its views, its words and what it attends to in all."""
    found = []
    for pair in zip(*(look.layers for look in page.looks), strict=True):
        cells = max((_brightest(la, lo) for la, lo in zip(pair, page.looks, strict=True)), default=0.0)
        word = max(float(layer.words.max(initial=0)) for layer in pair)
        sides = [
            {
                "said": _shares(layer),
                "views": _attended(page, layer, look, cells),
                "words": _words(look.words, layer.words, word) if "word" in layer.shares else [],
            }
            for layer, look in zip(pair, page.looks, strict=True)
        ]
        found.append({"name": pair[0].name, "brightest": cells, "sides": sides})
    return found


def _brightest(layer: Layer, look: Look) -> float:
    if layer.images is None:
        return 0.0
    return float(max((w for w, p in zip(layer.images[-1], look.places, strict=True) if p.slot is None), default=0.0))


def _shares(layer: Layer) -> str:
    """In words, in percent."""
    said = [f"{KINDS[kind]} {100 * share:.0f} %" for kind, share in layer.shares.items()]
    if layer.images is not None:
        said.append(f"evenly spread, each image token would get {100 * layer.images.mean():.1f} %")
    if len(layer.times) > 1:
        earlier = layer.times[:-1].sum()
        said.append(f"{100 * layer.times[-1]:.0f} % lie on this frame, {100 * earlier:.0f} % on earlier ones")
    return "; ".join(said)


def _attended(page: SideBySide, layer: Layer, look: Look, brightest: float) -> list[tuple[str, Markup]]:
    if layer.images is None:
        return []
    weighed = list(zip(look.places, layer.images[-1].tolist(), strict=True))
    views = []
    for i, (camera, image) in enumerate(page.images.items()):
        mine = [(place, weight) for place, weight in weighed if place.view == i]
        size = image.shape[1], image.shape[0]
        cells = [(p.box, w) for p, w in mine if p.slot is None]
        drawn = _veil(cells, brightest, size, numbers=len(cells) <= FEW) + "".join(
            _named(p, w, size) for p, w in mine if p.slot
        )
        total = f"{camera}: {100 * sum(w for _, w in mine):.1f} %"
        views.append((total, _view(i, size, drawn, total)))
    return views


def _found(page: SideBySide) -> list[list[dict[str, Any]]] | None:
    """For each instruction and slot: the words it reads, and its map over every view."""
    maps = [look.found for look in page.looks if look.found is not None]
    if len(maps) < 2:
        return None
    return [
        [_slot(page, look, found, s, max(float(m.maps[:, s].max()) for m in maps)) for s in range(len(SLOTS))]
        for look, found in zip(page.looks, maps, strict=True)
    ]


def _slot(page: SideBySide, look: Look, found: Heatmaps, s: int, brightest: float) -> dict[str, Any]:
    n = len(SLOTS)
    read = found.read[s, n:] / found.read[s, n:].sum()
    views = []
    for i, (camera, image) in enumerate(page.images.items()):
        grid, size = found.maps[i, s], (image.shape[1], image.shape[0])
        rows, columns = grid.shape
        boxes = [
            (x / columns, y / rows, (x + 1) / columns, (y + 1) / rows) for y in range(rows) for x in range(columns)
        ]
        drawn = _veil(list(zip(boxes, grid.flat, strict=True)), brightest, size) + _cross(
            found.points[i, s], size, SLOTS[s]
        )
        said = f"{camera}: in view with {100 * grid.sum():.0f} %"
        views.append((said, _view(i, size, drawn, f"{SLOTS[s]}, {said}")))
    return {"slot": SLOTS[s], "words": _words(look.words[n:], read, float(read.max())), "views": views}


def _view(i: int, size: tuple[int, int], drawn: str, title: str) -> Markup:
    return Markup(
        f'<svg class="view view{i}" viewBox="0 0 {size[0]} {size[1]}" role="img"><title>{escape(title)}</title>{drawn}</svg>'
    )


Box = tuple[float, float, float, float]


def _veil(cells: Sequence[tuple[Box, float]], brightest: float, size: tuple[int, int], numbers: bool = False) -> str:
    """Every cell darkened by what it lacks to the brightest; boxes are fractions of the image."""
    drawn = []
    for box, weight in cells:
        x, y, width, height = _pixels(box, size)
        opacity = DARK * (1 - weight / brightest) if brightest > 0 else DARK
        drawn.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill-opacity="{opacity:.2f}"/>')
        if numbers:
            drawn.append(_number(weight, (x, y), size))
    return "".join(drawn)


def _named(place: Place, weight: float, size: tuple[int, int]) -> str:
    """A frame around what a slot looks at, with its attention in the upper left corner (target) or below (reference)."""
    x, y, width, height = _pixels(place.box, size)
    colour, dashes = STROKES[place.slot or "target"]
    at = (x, y + height if place.slot == "reference" else y)
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{colour}" stroke-width="{size[0] / 64:g}"'
        f' stroke-dasharray="{dashes}"><title>{place.slot}: {100 * weight:.1f} %</title></rect>{_number(weight, at, size, colour)}'
    )


def _number(weight: float, corner: tuple[float, float], size: tuple[int, int], halo: str = "#000") -> str:
    """A percentage below a corner, moved into the image."""
    height = size[1] / 14
    x, y = min(max(corner[0], 0), size[0] - 2 * height), min(max(corner[1] + height, height), size[1] - 1)
    style = f"font-size:{height:.3g}px;stroke:{halo};stroke-width:{size[1] / 40:.3g}px"
    return f'<text x="{x + 0.5:.2f}" y="{y:.2f}" style="{style}">{100 * weight:.1f}</text>'


def _cross(point: Array, size: tuple[int, int], slot: str) -> str:
    """Hairs that leave the middle free."""
    u, v = (float(p) * s for p, s in zip(point, size, strict=True))
    free, (colour, _) = size[0] / 20, STROKES[slot]
    hairs = f"M {u - 2 * free:.2f} {v:.2f} h {free:.2f} M {u + free:.2f} {v:.2f} h {free:.2f} M {u:.2f} {v - 2 * free:.2f} v {free:.2f} M {u:.2f} {v + free:.2f} v {free:.2f}"
    return f'<path d="{hairs}" stroke="{colour}" stroke-width="{size[0] / 64:g}"/>'


def _pixels(box: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """x, y, width, height"""
    left, top, right, bottom = box
    width, height = size
    return (
        round(left * width, 2),
        round(top * height, 2),
        round((right - left) * width, 2),
        round((bottom - top) * height, 2),
    )


def _words(words: Sequence[str], weights: Array, largest: float) -> list[tuple[str, str, float]]:
    """(word, its percentage, how strongly it is marked: 0 to 0.6, so that it stays readable)."""
    return [
        (w, f"{100 * x:.1f}", round(0.6 * x / largest, 3) if largest else 0.0)
        for w, x in zip(words, weights, strict=True)
    ]
