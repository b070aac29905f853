"""`reverie actions`: what action codecs lose on a data set.

reverie actions report data/put
reverie actions report data/droid --horizon 10 15 --bins 64 256 --out codecs.html

Codecs are fitted on the episodes that trainings see and measured on those they hold out. Actions only are read, no
video. Prints a table, writes a page and its JSON.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reverie.actions import Codec
from reverie.actions.columns import GRIPPERS
from reverie.actions.continuous import Continuous
from reverie.actions.fast import Fast
from reverie.actions.quantile_bins import QuantileBins
from reverie.actions.round_trip import round_trip
from reverie.actions.rt2_text import RT2Text
from reverie.actions.uniform_bins import UniformBins
from reverie.actions.vocabulary_tail import VocabularyTail
from reverie.cli.progress import progress
from reverie.core import ActionSpec, ReverieError, unknown_name
from reverie.core.files import write_text
from reverie.data import Dataset, FrameCache, open_dataset
from reverie.data.held_out import held_out_episodes
from reverie.report.codecs import normalised, write_codec_page

Array = NDArray[np.float32]
Fit = Callable[[Array], Codec[Any]]
MOST_CHUNKS = 10_000
"""Training chunks that codecs are fitted on, evenly spaced among all."""
WIDTH = 170
TITLES = {
    "mean_abs": "mean absolute error",
    "max_abs": "largest absolute error",
    "bias": "bias (mean of decoded - given)",
}


@dataclass(frozen=True)
class ReportOptions:
    """Round-trip errors of every codec, by action, in the actions' units."""

    root: tyro.conf.Positional[Path]
    """The data set's folder."""
    horizon: tuple[int, ...] = (10,)
    """Lengths of a chunk, in control steps."""
    bins: tuple[int, ...] = (16, 64, 256, 1024)
    """For uniform and quantile bins."""
    fast_scales: tuple[float, ...] = (5.0, 10.0, 20.0)
    """FAST's scales: coefficients are rounded after multiplication with it."""
    vocabulary: int = 1024
    """FAST's tokens."""
    episodes: int = 400
    """At most so many episodes to fit on, and as many to measure on."""
    held_out: float = 0.2
    """The fraction to measure on, where the data set does not say which."""
    out: Path | None = None
    """Where the page goes, its JSON beside it; beside the data set unless given."""


@dataclass(frozen=True)
class Setting:
    """One row of the table. `action_tokens`: where not the whole vocabulary means actions."""

    codec: str
    label: str
    fit: Fit
    action_tokens: int | None = None
    in_figure: bool = True


def report(arguments: Sequence[str]) -> None:
    options = tyro.cli(ReportOptions, args=list(arguments), prog="reverie actions report", description=__doc__)
    dataset = open_dataset(options.root)
    train, measured = read_split(dataset, options)
    spec = dataset.action_spec
    record: dict[str, Any] = {
        "v": 1,
        "dataset": options.root.resolve().name,
        "action_spec": spec.to_dict(),
        "wraps": wrapping(spec, [*train, *measured]),
        "std": np.concatenate(train).std(0, dtype=np.float64).tolist(),
        "fitted_on": {"episodes": len(train)},
        "measured_on": {"episodes": len(measured)},
        "horizons": [measure(train, measured, h, settings(spec, train, options)) for h in options.horizon],
    }
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for horizon in record["horizons"]:
        for key, title in TITLES.items():
            console.print(table(horizon, spec, key, title, record["std"]))
    if record["wraps"]:
        console.print(
            f"{', '.join(record['wraps'])}: jumps by a turn within episodes; another rotation representation avoids that"
        )
    page = options.out or options.root.with_name(f"{options.root.name}.codecs.html")
    write_text(page.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
    print(write_codec_page(record, page))


def read_split(dataset: Dataset, options: ReportOptions) -> tuple[list[Array], list[Array]]:
    """Actions [N, A] of episodes to fit on and to measure on, as trainings would hold them out.

    Errors: ReverieError for a data set with fewer than two episodes."""
    held_out = held_out_episodes(_without_frames(dataset), options.held_out)
    if not held_out.any():
        raise ReverieError(
            f"{dataset.root}: found {len(dataset)} episodes, expected some to fit on and some to measure on"
        )
    chosen = [_evenly(np.flatnonzero(of), options.episodes) for of in (~held_out, held_out)]
    total, finished = sum(map(len, chosen)), 0
    parts: list[list[Array]] = [[], []]
    with progress("episodes", total) as advance:
        for part, indices in zip(parts, chosen, strict=True):
            for index in indices:
                part.append(dataset.episode(int(index), images=False, depth=False).actions)
                finished += 1
                advance(finished, total)
    return parts[0], parts[1]


def _without_frames(dataset: Dataset) -> FrameCache:
    """What the split needs of a cache: the episodes, and nothing that would have to be decoded."""
    none, zeros = np.zeros(0, np.int64), np.zeros(len(dataset) + 1, np.int64)
    return FrameCache(
        path=dataset.root,
        images={},
        frames={},
        frame_steps=none,
        actions=np.zeros((0, dataset.action_spec.action_dim), np.float32),
        frame_offsets=zeros,
        action_offsets=zeros,
        episodes=[dataset.episode_info(i) for i in range(len(dataset))],
        observation_spec=dataset.observation_spec,
        action_spec=dataset.action_spec,
    )


def settings(spec: ActionSpec, train: Sequence[Array], options: ReportOptions) -> list[Setting]:
    """The rows of the table."""
    openings = _openings(spec, train)
    rows = [Setting("uniform_bins", str(n), partial(UniformBins.fit, bins=n)) for n in options.bins]
    rows += [Setting("uniform_bins", "256, as RT-1's code", partial(UniformBins.fit, decoding="rt1"), in_figure=False)]
    if spec.low is not None and spec.high is not None:
        rows += [
            Setting("uniform_bins", "256, bounds of the spec", lambda x: UniformBins.of_spec(spec), in_figure=False)
        ]
    rows += [Setting("quantile_bins", str(n), partial(QuantileBins.fit, bins=n)) for n in options.bins]
    rows += [Setting("rt2_text", "256", RT2Text.fit)]
    rows += [Setting("vocabulary_tail", "256", partial(VocabularyTail.fit, kept=openings), action_tokens=256)]
    for scale in options.fast_scales:
        fit = partial(Fast.fit, vocabulary_size=options.vocabulary, coefficient_scale=scale)
        rows += [Setting("fast", f"{options.vocabulary} tokens, x {scale:g}", fit)]
    return [*rows, Setting("continuous", "mean", Continuous.fit)]


def _openings(spec: ActionSpec, train: Sequence[Array]) -> tuple[int, ...]:
    """The gripper, which OpenVLA does not scale, where it is an opening between 0 and 1."""
    found = [i for i, name in enumerate(spec.names) if name in GRIPPERS and spec.modes[i] == "absolute"]
    return tuple(i for i in found if all(e[:, i].min() >= 0 and e[:, i].max() <= 1 for e in train))


def wrapping(spec: ActionSpec, episodes: Sequence[Array]) -> list[str]:
    """Angles that jump by more than half a turn from one step to the next: a codec takes that for motion."""
    jumps = np.any([(np.abs(np.diff(e, axis=0)) > np.pi).any(0) for e in episodes], axis=0)
    return [n for n, unit, jump in zip(spec.names, spec.units, jumps, strict=True) if jump and unit == "rad"]


def measure(train: Sequence[Array], held_out: Sequence[Array], horizon: int, rows: Sequence[Setting]) -> dict[str, Any]:
    """One entry of the record's horizons. Errors: ReverieError where no episode is as long as a chunk."""
    fitted, measured = _evenly(chunks(train, horizon, 1), MOST_CHUNKS), chunks(held_out, horizon, horizon)
    found = []
    for row in rows:
        try:
            result, reason = round_trip(row.fit(fitted), measured, row.action_tokens).to_dict(), ""
        except ReverieError as error:  # a codec that these data do not allow is a result, too
            result, reason = None, str(error)
        entry = {"codec": row.codec, "setting": row.label, "in_figure": row.in_figure}
        found.append(entry | {"round_trip": result, "reason": reason})
    if not any(row["round_trip"] for row in found):
        raise ReverieError(f"no codec can be measured on these actions: {found[0]['reason']}")
    return {"horizon": horizon, "fitted_on_chunks": len(fitted), "rows": found}


def chunks(episodes: Sequence[Array], horizon: int, every: int) -> Array:
    """[N, horizon, A]: the whole chunks of episodes [N_e, A], one every `every` steps."""
    if horizon < 1:
        raise ReverieError(f"--horizon is {horizon}, expected at least 1")
    found = [e[i : i + horizon] for e in episodes for i in range(0, len(e) - horizon + 1, every)]
    if not found:
        longest = max(map(len, episodes))
        raise ReverieError(
            f"--horizon is {horizon}, the longest of {len(episodes)} episodes has {longest} actions: give less"
        )
    return np.stack(found)


def _evenly(items: Any, most: int) -> Any:
    """At most so many of an array's rows, evenly spaced."""
    return items[np.unique(np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(int))]


def table(horizon: Mapping[str, Any], spec: ActionSpec, key: str, title: str, std: Sequence[float]) -> Table:
    measured = next(row["round_trip"] for row in horizon["rows"] if row["round_trip"])
    heading = f"{title}, chunks of {horizon['horizon']}, n = {measured['n_chunks']} held-out chunks"
    shown = Table(title=heading, title_justify="left")
    for column in ("codec", "setting"):
        shown.add_column(column)
    numbers = [f"{name}\n[{unit or '?'}]" for name, unit in zip(spec.names, spec.units, strict=True)]
    for column in ("tokens\na chunk", "bits", "clipped\n%", "in std", *numbers):
        shown.add_column(Text(column), justify="right", no_wrap=True)
    for row in horizon["rows"]:
        found = row["round_trip"]
        cells = _cells(found, key, std) if found else [f"not possible: {row['reason']}"]
        shown.add_row(row["codec"], row["setting"], *map(Text, cells))
    return shown


def _cells(found: Mapping[str, Any], key: str, std: Sequence[float]) -> list[str]:
    tokens, bits = found["tokens_per_chunk"], found["bits_per_chunk"]
    return [
        "-" if tokens is None else f"{tokens:.1f}",
        "-" if bits is None else f"{bits:.0f}",
        f"{100 * float(np.mean(found['clipped'])):.2f}",
        f"{normalised([abs(v) for v in found[key]], std):.1e}",
        *(f"{v:.1e}" for v in found[key]),
    ]


ACTIONS: Mapping[str, Callable[[Sequence[str]], None]] = {"report": report}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if arguments[0] not in ACTIONS:
        raise unknown_name("actions verb", arguments[0], list(ACTIONS))
    ACTIONS[arguments[0]](arguments[1:])
    return 0
