"""`reverie check POLICY DATA`: is this policy wired up right?

    reverie check checkpoints/act data/mine
    reverie check openpi://localhost:8000?spec=theirs.yaml data/mine --json

Shows the policy logged observations and compares what it would have done with what was done: specs, error by dimension,
signs, axes, delays and sizes of its actions, its pictures, and whether it listens. Ends with 0 for right, 1 for wrong, 3 where
the episodes are too few to tell.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from reverie.core import Estimate
from reverie.data import open_cache
from reverie.data.recorded import recorded_episodes
from reverie.evaluation.resolve import load_policy
from reverie.evaluation.wiring import Wiring, check_wiring

CODES = {"right": 0, "wrong": 1, "undecided": 3}


@dataclass(frozen=True)
class Options:
    """Needs episodes that somebody did well, such as demonstrations."""

    policy: tyro.conf.Positional[str]
    """A policy, as for `reverie evaluate`."""
    data: tyro.conf.Positional[Path]
    """The folder of a data set."""
    episodes: int = 24
    """How many episodes, evenly spread."""
    frames: int = 12
    """Frames of each."""
    deaf: bool = False
    """The policy is meant to ignore the instruction."""
    json: bool = False
    """Print the numbers instead of words."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie check", description=__doc__)
    cache, policy = open_cache(options.data), load_policy(options.policy)
    chosen = np.unique(np.linspace(0, len(cache.episodes) - 1, min(options.episodes, len(cache.episodes))).round())
    episodes = recorded_episodes(cache, [int(i) for i in chosen])
    found = check_wiring(policy, episodes, options.frames, must_listen=not options.deaf)
    print(json.dumps(found.to_dict(), indent=1, allow_nan=False) if options.json else words(found))
    return CODES[found.verdict]


def words(found: Wiring) -> str:
    """The verdict first, then what it rests on."""
    lines = [f"{found.policy}: {_verdict(found)} ({found.n_episodes} episodes, {found.n_frames} frames)"]
    lines += [f"  - {finding}" for finding in found.findings]
    if found.problems:
        return "\n".join([*lines, "Nothing else was looked at: first the specs must fit."])
    lines += [
        "",
        "error by dimension (mean absolute; of the mean action), range said / recorded, times too large (at least, at most)",
    ]
    for d, s in zip(found.dimensions, found.scales, strict=False):
        size = "not to tell" if s.low is None else f"{s.low:.2g} and {s.high:.2g}"
        lines.append(
            f"  {d.name:<10} {_number(d.error)} ({_number(d.of_mean)}) {d.unit}   "
            f"{d.said[0]:.3g} .. {d.said[1]:.3g} / {d.recorded[0]:.3g} .. {d.recorded[1]:.3g}   {size}"
        )
    ruled_out = [t for t in found.tried if t.ruled_out]
    untold = [t for t in found.tried if not t.ruled_out and not t.better]
    open_ones = [t.words for t in sorted(untold, key=lambda t: -(t.gain.value or 0))]
    lines += ["", f"{len(found.tried)} alternatives tried, {len(ruled_out)} fit worse with confidence"]
    if open_ones:
        lines.append(f"these episodes cannot tell whether (the likeliest first): {'; '.join(open_ones)}")
    lines.append(found.listening.words if found.listening else "every episode was told the same: whether it listens was not measured")  # fmt: skip
    return "\n".join(lines)


def _verdict(found: Wiring) -> str:
    if found.verdict == "right":
        return "wired up right, as far as these episodes tell"
    return "wired up wrong" if found.verdict == "wrong" else "too few episodes to tell"


def _number(value: Estimate) -> str:
    if value.value is None:
        return "absent"
    return f"{value.value:.3g}" + ("" if value.low is None else f" [{value.low:.3g}, {value.high:.3g}]")
