"""What the tables of `resolve` open for recorded trials: a data set's folder as scenes, as a world, as a policy that repeats
it, and as the start of a video world. `recorded:DATA` in each.

Recorded trials as the truth: the label of an episode is the word on the policy that acted in it, and on no other one."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from reverie.core import Judge, Policy, ReverieError, Scene, World
from reverie.data.cache import FrameCache, open_cache
from reverie.evaluation.plan import Entry, Logged

KIND = "recorded"
NOBODY = "logged"
"""Whose a trial is that names no policy, unless the user says."""


@cache
def _opened(root: str) -> FrameCache:
    """One open cache a process."""
    if not root:
        raise ReverieError("recorded: names no data set; expected recorded:DATA with the folder of one")
    return open_cache(root)


def world(rest: str) -> World:
    """`recorded:DATA`: shows what was recorded, whatever it is told."""
    from reverie.data.recorded import RecordedWorld

    return RecordedWorld(_opened(rest))


def scenes(rest: str) -> list[Scene]:
    """`recorded:DATA`: a scene for every episode; `recorded:DATA,val`: of one split."""
    from reverie.data.recorded import recorded_scenes

    root, _, split = rest.partition(",")
    cache = _opened(root)
    chosen = [i for i, e in enumerate(cache.episodes) if not split or e.split == split]
    if not chosen:
        found = sorted({str(e.split) for e in cache.episodes})
        raise ReverieError(f"recorded:{rest}: no episode of {root} has split {split!r}; found {found}")
    return recorded_scenes(cache, chosen)


def policy(rest: str) -> Policy:
    """`recorded:DATA`: a script that repeats what was recorded; `recorded:DATA,NAME`: under that name."""
    from reverie.rollouts import AsRecorded

    root, _, name = rest.partition(",")
    opened = _opened(root)
    repeating = AsRecorded(opened.action_spec, opened.observation_spec.frame_every)
    repeating.name = name or repeating.name
    return repeating


def data_of(specs: Sequence[str]) -> str:
    """The one data set that scenes are recorded in. Errors: ReverieError for none, or several."""
    roots = sorted({spec.partition(":")[2].partition(",")[0] for spec in specs if spec.partition(":")[0] == KIND})
    if len(roots) != 1:
        found = ", ".join(roots) or f"none ({', '.join(specs)})"
        raise ReverieError(f"--truth recorded: found data sets {found} in --scenes, expected one recorded:DATA")
    return roots[0]


def logged(world: str, scenes: Sequence[Scene], default: str, n_steps: int) -> tuple[Logged, ...]:
    """The trials of a recorded world that begin `scenes`, policy by policy in the order of the scenes.

    default: whose a trial is that names no policy. Errors: ReverieError for a trial longer than n_steps, whose label would
    never be reached.
    """
    from reverie.data.recorded import acted_by, episode_keys

    root = world.partition(":")[2]
    opened = _opened(root)
    numbers = {key: i for i, key in enumerate(episode_keys(opened))}
    mine: dict[str, list[str]] = {}
    for scene in scenes:
        if scene.recorded not in numbers:
            raise ReverieError(f"scene {scene.id!r} is no trial of {root}: with logged trials as the truth, give --scenes recorded:{root}")  # fmt: skip
        number = numbers[scene.recorded]
        if n_steps < (length := _n_steps(opened, number)):
            raise ReverieError(f"--steps is {n_steps}, but trial {scene.recorded!r} of {root} has {length}, and its label tells how those ended")  # fmt: skip
        mine.setdefault(acted_by(opened.episodes[number]) or default, []).append(scene.id)
    return tuple(Logged(_repeating(root, name), tuple(ids)) for name, ids in mine.items())


def _repeating(root: str, name: str) -> Entry:
    spec = f"{KIND}:{root},{name}"
    return Entry(spec, name, policy(f"{root},{name}").fingerprint)


def longest(root: str) -> int:
    """Control steps up to the last frame of the longest trial."""
    opened = _opened(root)
    return max(_n_steps(opened, number) for number in range(len(opened.episodes)))


def _n_steps(opened: FrameCache, number: int) -> int:
    return int(opened.frame_steps[opened.frame_offsets[number + 1] - 1])


def label(rest: str) -> Judge:
    """`label`: the label of the recording, where there is one."""
    from reverie.judges.catalog import load_judge

    if rest:
        raise ReverieError(f"label:{rest}: label takes no argument")
    return load_judge("label")


def dreamt(checkpoint: Path, root: str) -> World:
    """A video world that starts from the first frames of a data set."""
    from reverie.data.recorded import RecordedWorld
    from reverie.world_model.checkpoint import load_world

    return load_world(checkpoint).world(RecordedWorld(_opened(root)))


def begun_by(world: str, root: str) -> str:
    """A video world, as it was asked for, that starts with the first frames of `root`; other worlds as they are."""
    kind, _, rest = world.partition(":")
    if kind == "video":
        return world if "@" in rest else f"{world}@{root}"
    return f"video:{world}@{root}" if (Path(world) / "checkpoint.json").is_file() else world
