"""Failure modes: what became of trials that failed, read off the events and poses that their world recorded.

Where a world does not measure what the gripper holds, only a hand that stays where it is can be told; the rest is counted
as untold, never guessed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from reverie.core import Outcome, Trial, TrialKey
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.storage import Row, path_of, read_rows
from reverie.trials import TRIALS

NO_MOTION, WRONG_OBJECT, MISSED, DROPPED, WRONG_PLACE, TIMED_OUT = (
    "no motion", "wrong object", "missed grasp", "dropped", "wrong place", "timed out",
)  # fmt: skip
MODES: Mapping[str, str] = {
    NO_MOTION: "the hand stayed within 2 cm of its start",
    WRONG_OBJECT: "it lifted another thing than it was told, and never that",
    MISSED: "it closed the gripper and never lifted anything",
    DROPPED: "what it was told to bring fell, and that was the end of it",
    WRONG_PLACE: "it put down what it was told to bring, where it does not belong",
    TIMED_OUT: "it was still on its way: the gripper never closed, or the thing was still held or just released at the end",
}
STILL_M, CLOSED, HOLD_S = 0.02, 0.5, 0.6
GRASPS = ("lifted", "dropped", "released")
READ = ("commanded", "time_s")


@dataclass(frozen=True)
class Modes:
    """One policy: how many of its failed trials went which way; `untold` are those of which the records do not say."""

    policy: str
    n_failed: int
    counts: Mapping[str, int]
    untold: int


@dataclass(frozen=True)
class FailureModes:
    """In one view, policies in the order of their records; one trial for each mode, with a clip where any has one."""

    view: View
    policies: tuple[Modes, ...]
    examples: Mapping[str, TrialKey]

    @property
    def told(self) -> int:
        return sum(sum(p.counts.values()) for p in self.policies)


def failure_modes(folder: Path, table: Outcomes, view: View) -> FailureModes:
    """Every failed trial of a view, one pass, a block at a time."""
    counts: dict[str, Counter[str]] = {}
    examples: dict[str, TrialKey] = {}
    untold: Counter[str] = Counter()
    for trial, row in _failed(folder, table, view):
        mode = mode_of(row) if row is not None else None
        counts.setdefault(trial.key.policy, Counter())
        if mode is None:
            untold[trial.key.policy] += 1
        else:
            counts[trial.key.policy][mode] += 1
            _keep(examples, mode, trial, table)
    found = [Modes(p, sum(c.values()) + untold[p], {m: c[m] for m in MODES if c[m]}, untold[p]) for p, c in counts.items()]  # fmt: skip
    return FailureModes(view, tuple(found), {m: examples[m] for m in MODES if m in examples})


def _keep(examples: dict[str, TrialKey], mode: str, trial: Trial, table: Outcomes) -> None:
    """The first with a clip, else the first."""
    before = examples.get(mode)
    if before is None or (trial.clip is not None and not _has_clip(table, before)):
        examples[mode] = trial.key


def _has_clip(table: Outcomes, key: TrialKey) -> bool:
    return (key.scene, key.edit, key.replicate) in table.clips[key.world, key.policy]


def _failed(folder: Path, table: Outcomes, view: View) -> Iterator[tuple[Trial, Row | None]]:
    """Failed trials with what is stored of them; None where nothing is."""
    rows = table.outcomes[view]

    def failed(trial: Trial) -> bool:
        key = trial.key
        cell = (key.scene, key.edit, key.replicate)
        return key.world == view.world and rows[key.policy].get(cell) is Outcome.FAILURE

    for block, group in groupby(filter(failed, TRIALS.read(folder)), key=lambda t: str(t.info["block"])):
        stored = read_rows(folder, block, READ) if path_of(folder, block).exists() else None
        for trial in group:
            yield trial, stored[int(trial.info["row"])] if stored else None


def mode_of(row: Row) -> str | None:
    """What became of one failed trial; None where its world does not measure it."""
    arrays, about = row
    names = list(about["observation_spec"]["commanded"])
    moved = _extent_m(arrays, names)
    if moved is not None and moved < STILL_M:
        return NO_MOTION
    events = [e for e in about["events"] if e[0] in GRASPS]
    scene = about["scene"]
    if scene is None or not (events or "held" in about["observation_spec"]["extras"]):
        return None
    mine = [(name, time_s) for name, time_s, details in events if details.get("object") == scene["target"]]
    if mine:
        return _after_lifting(*mine[-1], float(arrays["time_s"][-1]))
    if events:
        return WRONG_OBJECT
    return MISSED if _closed(arrays, names) else TIMED_OUT


def _after_lifting(last: str, time_s: float, end_s: float) -> str:
    if last == "dropped":
        return DROPPED
    return WRONG_PLACE if last == "released" and time_s < end_s - HOLD_S else TIMED_OUT


def _extent_m(arrays: Mapping[str, Any], names: list[str]) -> float | None:
    """How far the hand ever was from its start, in m; None where the commanded state has no position."""
    if "commanded" not in arrays or not {"x", "y", "z"} <= set(names):
        return None
    place = arrays["commanded"][:, [names.index(n) for n in "xyz"]]
    return float(np.linalg.norm(place - place[0], axis=1).max())


def _closed(arrays: Mapping[str, Any], names: list[str]) -> bool:
    return "commanded" in arrays and "opening" in names and bool((arrays["commanded"][:, names.index("opening")] < CLOSED).any())  # fmt: skip
