"""fidelity.json: what `evaluation.fidelity` and `evaluation.open_loop` measured, as the report draws it.

Curves over seconds with interval and baseline, and films of real beside dreamt frames. It computes nothing new.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverie.core import Episode, Estimate
from reverie.core.files import write_text
from reverie.evaluation.blocks import slug
from reverie.evaluation.clips import tile, write_clip
from reverie.evaluation.fidelity import METRICS, MOVED, Pair, Series, at_frame

FILE = "fidelity.json"
MAX_FILM_FRAMES = 60
Curve = dict[str, Any]


def curve(name: str, unit: str, x: Sequence[float], values: Sequence[Estimate], baselines: Mapping[str, Sequence[Estimate]], note: str) -> Curve | None:  # fmt: skip
    """A figure of the estimates at times x (seconds); times without a value in any line are left out, and None is returned
    where nothing is left. The interval is drawn only where every value has one."""
    lines = [values, *baselines.values()]
    kept = [i for i in range(len(x)) if all(line[i].value is not None for line in lines)]
    if not kept:
        return None
    shown = [values[i] for i in kept]
    counts = sorted({e.n for e in shown})
    found: Curve = {"name": name, "unit": unit, "x": [round(x[i], 3) for i in kept], "y": [e.value for e in shown]}
    if all(e.low is not None for e in shown):
        found |= {"low": [e.low for e in shown], "high": [e.high for e in shown]}
    else:
        note += " No interval: fewer than three takes."
    if len(counts) > 1:
        note += f" n differs by time: {counts[0]} to {counts[-1]}."
    lines_below = [{"name": k, "y": [line[i].value for i in kept]} for k, line in baselines.items()]
    return found | {"n": counts[0], "note": note.strip(), "baselines": lines_below}


def replay_curves(found: Sequence[Series], frames_hz: float, where: str, metrics: Sequence[str] = tuple(METRICS)) -> list[Curve]:  # fmt: skip
    """One figure a metric, over the frames that every pair has. `where`: what the replays began with, in words."""
    frames = range(1, min(s.n_frames for s in found) + 1)
    curves = []
    for metric in metrics:
        name, unit = METRICS[metric]
        points = [at_frame(found, metric, h) for h in frames]
        note = f"Recorded actions replayed {where}; shaded: 95 % over takes (bootstrap)."
        if metric.endswith(("moving", "either")):
            note += f" Moving: a channel differs from the first frame by more than {MOVED} of 255."
        copied = {"copy the first frame": [p.copied for p in points]}
        title = f"{name}, {where}"
        curves.append(
            curve(title, unit, [p.frame / frames_hz for p in points], [p.dreamt for p in points], copied, note)
        )
    return [c for c in curves if c is not None]


def film(folder: Path, pair: Pair, frames_hz: float) -> dict[str, Any]:
    """Write both clips under folder/fidelity, cut to the real one's length and to MAX_FILM_FRAMES."""
    n = min(pair.real.n_frames, pair.dreamt.n_frames, MAX_FILM_FRAMES)
    clips = []
    for label, episode in (("real", pair.real), ("dreamt", pair.dreamt)):
        path = f"fidelity/{slug(pair.take)}.{label}.mp4"
        write_clip(folder / path, _tiled(episode, n), frames_hz)
        clips.append({"label": label, "path": path})
    cut = f" The first {n} of {pair.real.n_frames} frames." if n < pair.real.n_frames else ""
    said = f"“{pair.real.instruction}”" if pair.real.instruction else "No instruction was recorded"
    caption = f"{said} · {pair.take} · {frames_hz:g} frames/s.{cut}"
    return {"title": "Held-out take: real beside the replay of its actions", "caption": caption, "clips": clips}


def _tiled(episode: Episode, n: int) -> Any:
    return tile({c: v[:n] for c, v in episode.observations.images.items()}, episode.observation_spec)


def write_fidelity(folder: Path, curves: Sequence[Curve], films: Sequence[Mapping[str, Any]]) -> Path:
    record = {"v": 1, "curves": list(curves), "films": list(films)}
    path = folder / FILE
    write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return path
