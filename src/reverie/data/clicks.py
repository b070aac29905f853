"""Clicks: pixels at which a person saw the robot's point in frames of a data set; a JSON file that can be written by hand.

    {"v": 1, "cameras": {"wrist": {"on": "hand"}, "front": {"focal_px": 610}},
     "clicks": [{"camera": "front", "episode": 0, "frame": 12, "u": 31, "v": 40.5}, ...]}

u to the right, v down, (0, 0) in the centre of the upper left pixel. `cameras` says what is known of some: the link that one rides
on (its clicks are then on one thing that stands still), focal_px, principal_px.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError, unknown_name
from reverie.core.files import write_text
from reverie.data.lerobot_reader import Dataset
from reverie.data.metadata import read_json

VERSION = 1
ABOUT: Mapping[str, Callable[[Any], bool]] = {
    "on": lambda v: isinstance(v, str),
    "focal_px": lambda v: _is_number(v) and v > 0,
    "principal_px": lambda v: isinstance(v, list) and len(v) == 2 and all(map(_is_number, v)),
}
"""entry -> whether a value will do"""
MOST_FRAMES = 4000
"""Among so many frames, evenly spaced, those to click are chosen."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


@dataclass(frozen=True)
class Click:
    camera: str
    episode: int
    frame: int
    u: float
    v: float


@dataclass(frozen=True)
class Clicks:
    """cameras: name -> entries of `ABOUT`."""

    clicks: tuple[Click, ...] = ()
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, camera: str) -> list[Click]:
        return [c for c in self.clicks if c.camera == camera]

    def about(self, camera: str) -> Mapping[str, Any]:
        return self.cameras.get(camera, {})


def read_clicks(path: Path) -> Clicks:
    """Errors: ReverieError that names the entry for a file that is not as this module says."""
    value = read_json(path, "click some first: reverie data click DATA --clicks FILE")
    if not isinstance(value, Mapping) or not isinstance(value.get("clicks"), list):
        raise ReverieError(f'{path}: found no list "clicks", expected {{"v": {VERSION}, "clicks": [...]}}')
    cameras = value.get("cameras", {})
    for name, about in cameras.items() if isinstance(cameras, Mapping) else [("cameras", cameras)]:
        if not isinstance(about, Mapping) or not all(
            key in ABOUT and ABOUT[key](value) for key, value in about.items()
        ):
            raise ReverieError(
                f"{path}: found {about!r} for camera {name!r}, expected on (a link's name), focal_px (> 0) or principal_px ([u, v])"
            )
    return Clicks(tuple(_click(path, i, c) for i, c in enumerate(value["clicks"])), cameras)


def _click(path: Path, number: int, value: Any) -> Click:
    kinds = {"camera": str, "episode": int, "frame": int, "u": (int, float), "v": (int, float)}
    good = isinstance(value, Mapping) and all(isinstance(value.get(k), t) for k, t in kinds.items())  # type: ignore[arg-type]
    if not good or not np.isfinite([value["u"], value["v"]]).all():
        raise ReverieError(f"{path}: found {value!r} as click {number}, expected camera, episode, frame, u and v")
    return Click(**{k: value[k] for k in kinds})


def write_clicks(path: Path, clicks: Clicks) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n  ".join(json.dumps(asdict(c)) for c in clicks.clicks)
    write_text(path, f'{{"v": {VERSION}, "cameras": {json.dumps(dict(clicks.cameras))}, "clicks": [\n  {lines}\n]}}\n')


def check_clicks(clicks: Clicks, dataset: Dataset, path: Path) -> None:
    """Errors: ReverieError for a camera, an episode, a frame or a pixel that the data set does not have."""
    sizes = {c.name: (c.width, c.height) for c in dataset.observation_spec.cameras}
    for name in (*clicks.cameras, *(c.camera for c in clicks.clicks)):
        if name not in sizes:
            raise unknown_name(f"camera in {path}", name, list(sizes))
    lengths = [dataset.episode_info(i).n_frames for i in range(len(dataset))]
    for click in clicks.clicks:
        width, height = sizes[click.camera]
        if not 0 <= click.episode < len(lengths) or not 0 <= click.frame < lengths[click.episode]:
            raise ReverieError(f"{path}: found a click in frame {click.frame} of episode {click.episode}, which {dataset.root} has not")  # fmt: skip
        if not (-0.5 <= click.u <= width - 0.5 and -0.5 <= click.v <= height - 0.5):
            raise ReverieError(f"{path}: found a click at ({click.u}, {click.v}) of camera {click.camera!r}, which is {width} x {height}")  # fmt: skip


def spread_frames(values: Sequence[NDArray[np.float64]], n: int) -> list[tuple[int, int]]:
    """n frames as (episode, frame), each as far from those before it as can be: farthest point first, over the robot's values
    [F, J] of every episode, each in units of its spread."""
    places = [(e, f) for e, v in enumerate(values) for f in range(len(v))]
    places = places[:: max(1, len(places) // MOST_FRAMES)]
    points = np.stack([values[e][f] for e, f in places])
    points = (points - points.mean(0)) / np.maximum(points.std(0), 1e-6)
    chosen = [int(np.argmax(np.linalg.norm(points, axis=1)))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(n, len(points)):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return [places[i] for i in chosen]
