"""Films: which trials are worth watching side by side, and how they travel inside one HTML file.

All frames of a clip go into one lossless picture (WebP); the page shows one at a time, enlarged without smoothing.
"""

import base64
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reverie.core import Episode, Outcome, Trial, TrialKey
from reverie.evaluation.blocks import REPLAY, SCRIPTS
from reverie.evaluation.cells import Cell
from reverie.evaluation.clips import tile
from reverie.evaluation.failure_modes import MODES, FailureModes
from reverie.evaluation.outcomes import View
from reverie.evaluation.storage import read_episodes
from reverie.evaluation.summary import Summary
from reverie.report.formats import world_words
from reverie.report.overlay import overlay
from reverie.trials import TRIALS

COLUMNS = 8
MAX_LOSSLESS_BYTES = 500_000
MAX_BYTES = 24_000_000
"""Of all pictures of a page, so that it stays below 30 MB."""
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """One clip: its heading, what the judges say, a picture with all frames, and what is drawn over them."""

    heading: str
    verdicts: str
    film: dict[str, Any]


@dataclass(frozen=True)
class Film:
    """Clips that are watched together."""

    title: str
    caption: str
    panels: tuple[Panel, ...]

    @property
    def has_overlay(self) -> bool:
        return any(p.film["overlay"] for p in self.panels)


@dataclass(frozen=True)
class Wanted:
    """Trials that are worth watching together, before their records are read."""

    title: str
    keys: tuple[TrialKey, ...]


def films(folder: Path, summary: Summary, predicted: View | None) -> list[Film]:
    """A success, a failure and disagreements of truth and prediction; single clips where there is no prediction."""
    return opened(folder, summary, wanted(summary, predicted))


def mode_films(folder: Path, summary: Summary, modes: FailureModes, predicted: View | None) -> list[Film]:
    """A failed trial of every mode, beside what was predicted of it."""
    found = []
    for mode, key in modes.examples.items():
        cell = (key.scene, key.edit, key.replicate)
        beside = [key_of(summary, predicted, key.policy, cell)] if predicted else []
        keys = [k for k in (key, *beside) if has_clip(summary, k)]
        found += [Wanted(f"{mode.capitalize()}: {MODES[mode]}", tuple(keys))] if key in keys else []
    return opened(folder, summary, found)


def within(shown: Sequence[Film], limit: int = MAX_BYTES) -> list[Film]:
    """The first films whose pictures take no more than `limit` bytes together."""
    sizes = accumulate(sum(len(p.film["source"]) for p in film.panels) for film in shown)
    return [film for film, size in zip(shown, sizes, strict=True) if size <= limit]


def wanted(summary: Summary, predicted: View | None) -> list[Wanted]:
    if summary.table.truth is not None and predicted is not None:
        return list(_pairs(summary, summary.table.truth, predicted))
    return list(_singles(summary))


def opened(folder: Path, summary: Summary, found: Sequence[Wanted]) -> list[Film]:
    """The films of what is wanted: one pass over the trials, of which only these are kept."""
    keys = {key for w in found for key in w.keys}
    trials = {t.key: t for t in TRIALS.read(folder) if t.key in keys} if keys else {}
    return [_film(folder, summary, w.title, [trials[key] for key in w.keys]) for w in found]


def _pairs(summary: Summary, truth: View, predicted: View) -> Iterator[Wanted]:
    kinds: list[tuple[str, Callable[[Outcome, Outcome], bool]]] = [
        ("Success in both", lambda t, p: t is p is Outcome.SUCCESS),
        ("Failure in both", lambda t, p: t is p is Outcome.FAILURE),
        ("Disagreement: predicted a success, truly a failure", lambda t, p: (t, p) == (Outcome.FAILURE, Outcome.SUCCESS)),
        ("Disagreement: predicted a failure, truly a success", lambda t, p: (t, p) == (Outcome.SUCCESS, Outcome.FAILURE)),
    ]  # fmt: skip
    outcomes = summary.table.outcomes
    for title, fits in kinds:
        for policy, cell in _cells(summary, truth):
            true, dreamt = outcomes[truth][policy].get(cell), outcomes[predicted].get(policy, NOWHERE).get(cell)
            keys = tuple(key_of(summary, v, policy, cell) for v in (truth, predicted))
            if true and dreamt and fits(true, dreamt) and all(has_clip(summary, k) for k in keys):
                yield Wanted(title, keys)
                break


NOWHERE: Mapping[Cell, Outcome] = {}


def _singles(summary: Summary) -> Iterator[Wanted]:
    """The first success and the first failure of every judged view; the first clip where nothing was judged."""
    shown: set[TrialKey] = set()
    for view in summary.table.outcomes:
        for outcome in (Outcome.SUCCESS, Outcome.FAILURE):
            for policy, cell in _cells(summary, view):
                key = key_of(summary, view, policy, cell)
                fits = summary.table.outcomes[view][policy][cell] is outcome
                if fits and key not in shown and has_clip(summary, key):
                    shown.add(key)
                    yield Wanted(f"{outcome.capitalize()}, judged by {view.judge}", (key,))
                    break
    first = next(((arm, cell) for arm, cells in summary.table.clips.items() for cell in cells), None)
    if not shown and first is not None:
        (world, policy), cell = first
        yield Wanted("A rollout", (TrialKey(policy, world, *cell),))


def _cells(summary: Summary, view: View) -> Iterator[tuple[str, Cell]]:
    """Policies from the best to the worst, cells in order."""
    for rate in summary.rates_of(view):
        yield from ((rate.policy, cell) for cell in summary.table.outcomes[view][rate.policy])


def has_clip(summary: Summary, key: TrialKey) -> bool:
    cell = (key.scene, key.edit, key.replicate)
    return cell in summary.table.clips.get((key.world, key.policy), ())


def key_of(summary: Summary, view: View, policy: str, cell: Cell) -> TrialKey:
    world = view.world
    if world.endswith(SCRIPTS):
        scripts = {s.name for s in summary.plan.replayed_only}
        world = world.removesuffix(SCRIPTS) + (REPLAY if policy in scripts else "")
    return TrialKey(policy, world, *cell)


def _film(folder: Path, summary: Summary, title: str, trials: list[Trial]) -> Film:
    key = trials[0].key
    caption = f"“{trials[0].instruction}” · policy {key.policy} · scene {key.scene}"
    return Film(title, caption, tuple(_panel(folder, summary, trial) for trial in trials))


def _panel(folder: Path, summary: Summary, trial: Trial) -> Panel:
    (episode,) = read_episodes(folder, str(trial.info["block"]), {int(trial.info["row"]): trial.clip})
    cell = (trial.key.scene, trial.key.edit, trial.key.replicate)
    said = [
        f"{view.judge}: {cells[trial.key.policy][cell].replace('_', ' ')}"
        for view, cells in summary.table.outcomes.items()
        if view.world == trial.key.world and cell in cells.get(trial.key.policy, ())
    ]
    return Panel(world_words(trial.key.world), " · ".join(said) or "not judged", film_of(episode))


def film_of(episode: Episode) -> dict[str, Any]:
    frames = tile(episode.observations.images, episode.observation_spec)
    times = [round(float(t), 2) for t in episode.observations.time_s]
    return picture(frames) | {"times": times, "overlay": overlay(episode)}


def picture(frames: Images) -> dict[str, Any]:
    """[F, H, W, 3] as one picture, COLUMNS frames in a row; without loss unless that is large."""
    n, height, width, _ = frames.shape
    rows = -(-n // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width, 3), dtype=np.uint8)
    sheet[:n] = frames
    grid = sheet.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2).reshape(rows * height, COLUMNS * width, 3)
    data = _webp(grid, lossless=True)
    if len(data) > MAX_LOSSLESS_BYTES:
        data = _webp(grid, quality=80)
    source = "data:image/webp;base64," + base64.b64encode(data).decode()
    return {"source": source, "frames": n, "columns": COLUMNS, "width": width, "height": height}


def _webp(image: Images, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", **options)
    return buffer.getvalue()
