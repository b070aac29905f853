"""What the tables of `resolve` open for recorded trials: a data set's folder as scenes, as a world, as a policy that repeats
it, and as the start of a video world. `recorded:DATA` in each."""

from functools import cache
from pathlib import Path

from reverie.core import Judge, Policy, ReverieError, Scene, World
from reverie.data.cache import FrameCache, open_cache


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
    """`recorded:DATA`: a script that repeats what was recorded."""
    from reverie.rollouts import AsRecorded

    opened = _opened(rest)
    return AsRecorded(opened.action_spec, opened.observation_spec.frame_every)


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
