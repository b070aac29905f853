"""The contestants of `loading.py` on one form of a data set: what each costs before the first window, whether they hand out the
same, and how fast they are in turns."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_process import LeRobot
from loading_ours import Cached, Places, Written
from pace import paced
from record import number
from reverie.core import ReverieError, generator
from reverie.data.cache import open_cache

HORIZON, BATCH = 10, 32
CHECKED = 64
FLOATS = {"png": True, "video": False, "uncompressed": True}
"""Forms, and whether LeRobot makes float32 of their pictures."""
LEVELS = 1.01
"""Two decoders may round a colour differently."""


@dataclass(frozen=True)
class Sides:
    """LeRobot is there twice: `alone` decodes itself, `crew` only starts `workers`. `home` holds LeRobot's copies, `folder`
    ours. seconds: of each contestant in each round."""

    alone: LeRobot
    crew: LeRobot
    home: Path
    folder: Path
    workers: int
    seconds: float


@dataclass(frozen=True)
class Contest:
    """cached: ours, from the frame cache; written: ours, from the files (None: our data sets never look like this form)."""

    name: str
    root: Path
    sides: Sides
    cached: Cached
    written: Written | None

    def largest_difference(self) -> float:
        """Of a pixel, in levels of 255. Errors: ReverieError where more than rounding differs."""
        chosen = generator("loading, check", self.name).integers(0, len(self.cached.rows), CHECKED)
        places, file = self._places(chosen), self.sides.folder.resolve() / "theirs.npz"
        self.sides.alone.ask("save", root=str(self.root), rows=places.rows.tolist(), to=str(file))
        ours = [self.cached.batch(chosen), *([self.written.batch(places)] if self.written else [])]
        with np.load(file) as theirs:
            return max(self._compared(batch, theirs) for batch in ours)

    def _compared(self, ours: Mapping[str, Any], theirs: Mapping[str, NDArray[Any]]) -> float:
        apart = {k: float(np.abs(v.numpy() - theirs[k].astype(np.float32)).max()) for k, v in ours.items()}
        numbers = max(apart.pop("state"), apart.pop("action"))
        levels = max(apart.values()) * (255 if self.cached.floats else 1)
        if numbers > 0 or levels > LEVELS:
            raise ReverieError(
                f"{self.root}: LeRobot reads other values than we do (numbers differ by {numbers:g}, pixels by {levels:.1f} "
                "levels), expected the same; speed means nothing before that is understood"
            )
        return levels

    def round(self, turn: int) -> dict[str, dict[str, float]]:
        """Every contestant's pace on the same windows, in turns that reverse from round to round."""
        chosen = generator("loading, round", self.name, turn).integers(0, len(self.cached.rows), 2000 * BATCH)
        contestants = self._contestants(chosen)
        order = list(contestants)[:: 1 if turn % 2 else -1]
        return {name: contestants[name]() for name in order}

    def _contestants(self, chosen: NDArray[np.int64]) -> dict[str, Callable[[], Mapping[str, float]]]:
        batches = [chosen[i : i + BATCH] for i in range(0, len(chosen), BATCH)]
        sides, written = self.sides, self.written
        rows = self._places(chosen[: 200 * BATCH]).rows.tolist()
        request = {"root": str(self.root), "rows": rows, "batch_size": BATCH, "seconds": sides.seconds}
        found: dict[str, Callable[[], Mapping[str, float]]] = {
            "cached": lambda: self._paced(self.cached.batch(b) for b in batches),
            "lerobot": lambda: sides.alone.ask("pace", workers=0, **request),
            "lerobot_workers": lambda: sides.crew.ask("pace", workers=sides.workers, **request),
        }
        if written is not None:
            found["written"] = lambda: self._paced(written.batch(self._places(b)) for b in batches)
        return found

    def _paced(self, batches: Iterator[object]) -> dict[str, float]:
        return paced(batches, BATCH, 1, self.sides.seconds)

    def _places(self, chosen: NDArray[np.int64]) -> Places:
        return Places.of(self.cached.cache, self.cached.rows, chosen)


def prepare(name: str, root: Path, sides: Sides) -> tuple[Contest, dict[str, Any]]:
    """A contest; and seconds and MB of what each side makes of the files before the first window, made anew."""
    ours = sides.folder / f"{name}.cache"
    shutil.rmtree(ours, ignore_errors=True)
    start, before = time.perf_counter(), megabytes(sides.home)
    cache = open_cache(root, ours)
    built_s = time.perf_counter() - start
    first_s, again_s = (
        side.ask("open", root=str(root), horizon=HORIZON)["seconds"] for side in (sides.alone, sides.crew)
    )
    copied_mb = megabytes(sides.home) - before
    cost = {
        "files": number(megabytes(root), "MB"),
        "ours": {"time": number(built_s, "s"), "size": number(megabytes(ours), "MB")},
        "lerobot": {"time": number(max(first_s - again_s, 0.0), "s"), "size": number(copied_mb, "MB")},
    }
    written = None if name == "uncompressed" else Written(root, HORIZON, FLOATS[name])
    return Contest(name, root, sides, Cached(cache, HORIZON, FLOATS[name]), written), cost


def megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6
