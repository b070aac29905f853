"""Clicking: a person clicks the robot's point in frames of a data set, spread over what the robot did; kept at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode, ReverieError, unknown_name
from reverie.data import Dataset
from reverie.data.clicks import Click, Clicks, read_clicks, spread_frames, write_clicks
from reverie.pages import Encoded, Reply, Stale, encoded

SPARE = 4
"""So many frames are there for each that is wanted: in some the point is not to be seen."""


class _Item(NamedTuple):
    camera: str
    episode: int
    frame: int


class Clicking:
    """A Site. wanted: clicks for each of `cameras` (empty: all). rides: camera -> the link that it rides on; there one thing that
    stands still is clicked. What lies in the file at `path` is gone on with."""

    folder = Path(__file__).resolve().parent

    def __init__(
        self, dataset: Dataset, path: Path, wanted: int = 12, cameras: Sequence[str] = (), rides: Mapping[str, str] | None = None, what: str = "the robot's point",
    ) -> None:  # fmt: skip
        names = dataset.observation_spec.camera_names
        for name in (*cameras, *(rides or {})):
            if name not in names:
                raise unknown_name(f"camera of {dataset.root}", name, list(names))
        if wanted < 1:
            raise ReverieError(f"--frames is {wanted}, expected at least 1")
        self._dataset, self._path, self._wanted, self._what = dataset, path, wanted, what
        before = read_clicks(path) if path.exists() else Clicks()
        about = {**before.cameras, **{name: {"on": link} for name, link in (rides or {}).items()}}
        self._clicks = replace(before, cameras=about)
        self._lock = RLock()
        self._passed: list[tuple[_Item, bool]] = []  # and whether it was clicked
        order = spread_frames(_values(dataset), SPARE * wanted)
        known = {(c.camera, c.episode, c.frame) for c in before.clicks}
        items = [_Item(c, e, f) for c in (cameras or names) for e, f in order]
        self._items = [i for i in items if i not in known]
        self._episode = lru_cache(maxsize=8)(lambda i: dataset.episode(i, depth=False))

    @property
    def finished(self) -> bool:
        return self._next() is None

    @property
    def n_left(self) -> int:
        return sum(max(0, self._wanted - len(self._clicks.of(c))) for c in {i.camera for i in self._items})

    def _next(self) -> _Item | None:
        """The next frame of a camera that has not enough clicks."""
        passed = {item for item, _ in self._passed}
        left = (i for i in self._items if i not in passed and len(self._clicks.of(i.camera)) < self._wanted)
        return next(left, None)

    def get(self, rest: Sequence[str]) -> Reply:
        match rest:
            case ["state"]:
                return self.state()
            case ["frame", number] if number.isdigit():
                return self.frame(int(number))
        return None

    def post(self, rest: Sequence[str], value: Mapping[str, Any]) -> Reply:
        with self._lock:
            match rest:
                case ["click"]:
                    self.click(self._at(value), value.get("u"), value.get("v"))
                case ["skip"]:
                    self._passed.append((self._at(value), False))
                case ["undo"]:
                    self.undo()
                case _:
                    return None
            return self.state()

    def state(self) -> dict[str, Any]:
        with self._lock:
            item = self._next()
            about = {"title": "Clicking the robot", "item": len(self._passed), "n_clicks": len(self._clicks.clicks)}
            if item is None:
                return {**about, "finished": self._closing()}
            n, rides = len(self._clicks.of(item.camera)), self._clicks.about(item.camera).get("on")
            what = "one and the same thing that stands still" if rides else self._what
            said = f"Camera {item.camera}, {n} of {self._wanted} clicked. Click {what}."
            return {
                **about,
                "question": said,
                "where": f"episode {item.episode}, frame {item.frame}",
                "undo": bool(self._passed),
            }

    def frame(self, number: int) -> Encoded:
        with self._lock:
            item = self._at({"item": number})
            return encoded(np.ascontiguousarray(self._pictures(item)[item.frame]))

    def click(self, item: _Item, u: Any, v: Any) -> None:
        """Kept when it returns. Errors: ReverieError for a place outside of the picture."""
        height, width = self._pictures(item).shape[1:3]
        numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (u, v))
        if not numbers or not (-0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5):
            raise ReverieError(f"found a click at {u!r}, {v!r}, expected pixels of a picture of {width} x {height}")
        self._write((*self._clicks.clicks, Click(item.camera, item.episode, item.frame, round(u, 2), round(v, 2))))
        self._passed.append((item, True))

    def undo(self) -> None:
        if not self._passed:
            raise ReverieError("nothing was clicked yet on this page")
        _, clicked = self._passed.pop()
        if clicked:
            self._write(self._clicks.clicks[:-1])

    def _write(self, clicks: tuple[Click, ...]) -> None:
        self._clicks = replace(self._clicks, clicks=clicks)
        write_clicks(self._path, self._clicks)

    def _at(self, value: Mapping[str, Any]) -> _Item:
        item = self._next()
        if item is None or value.get("item") != len(self._passed):
            raise Stale("this page shows another frame than the one at hand: load it again")
        return item

    def _pictures(self, item: _Item) -> NDArray[np.uint8]:
        episode: Episode = self._episode(item.episode)
        return episode.observations.images[item.camera]

    def _closing(self) -> list[str]:
        counts = ", ".join(
            f"{c} {len(self._clicks.of(c))}" for c in dict.fromkeys(c.camera for c in self._clicks.clicks)
        )
        return [f"Clicked: {counts or 'nothing'}. Saved in {self._path}. This page can be closed."]


def _values(dataset: Dataset) -> list[NDArray[np.float64]]:
    """[F, D] of every episode: where the robot was, as far as the data tell."""
    found = []
    for i in range(len(dataset)):
        seen = dataset.episode(i, images=False, depth=False).observations
        state = seen.measured if seen.measured is not None else seen.commanded
        found.append(np.asarray(seen.time_s[:, None] if state is None else state, np.float64))
    return found
