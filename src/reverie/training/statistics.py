"""The transforms of a policy, with the statistics of the data it will learn from. No frame is decoded for them."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reverie.actions.normalisation import Normalisation, keep
from reverie.checkpoints.backbone import load_backbone
from reverie.core import ActionSpec, ReverieError
from reverie.data.cache import FrameCache
from reverie.data.statistics import Stats, Summary
from reverie.nn.grounding import GroundingShapes, HandReading, HeadingReading
from reverie.policies.learned import PolicyShapes
from reverie.training.selection import imitated
from reverie.training.windows import Window, imitated_actions, state_at
from reverie.transforms import (
    ImagesToFloat,
    LowerText,
    NormalizeActions,
    NormalizeState,
    Pipeline,
    ResizeImages,
    StateQuaternionTo6d,
    Transform,
)

STATE_FLOOR, ACTION_FLOOR = 0.02, 0.002
"""Smallest scales: two centimetres (or 0.02 rad) of state, two millimetres a step (or 0.002 rad) of action."""
SHARD_ROWS = 65_536
Kind = Literal["mean_std", "quantiles"]
_QUATERNION = ("qw", "qx", "qy", "qz")


class Known(NamedTuple):
    """The units that a pretrained backbone reads the state in and says positions in: they come with its weights."""

    state: NormalizeState
    center_m: tuple[float, float, float]
    scale_m: float


def known_to(backbone: Path | None, window: Window) -> Known | None:
    """None without a backbone, or for one that was trained for another robot."""
    if backbone is None:
        return None
    found = load_backbone(backbone)
    states = [t for t in Pipeline.from_list(found.transforms, backbone).transforms if isinstance(t, NormalizeState)]
    if found.robot != window.robot or not states:
        return None
    return Known(states[0], found.shapes.position_center_m, found.shapes.position_scale_m)


def gripper_places(spec: ActionSpec) -> tuple[int, ...]:
    """Which actions are an absolute opening between 0 and 1."""
    if spec.gripper == "none":
        return ()
    return tuple(
        i
        for i, (name, mode) in enumerate(zip(spec.names, spec.modes, strict=True))
        if "gripper" in name and mode == "absolute"
    )


def fit_transforms(cache: FrameCache, window: Window, episodes: list[int], sources: tuple[str, ...], image_size: tuple[int, int] | None, kind: Kind = "mean_std", known: Known | None = None) -> Pipeline:  # fmt: skip
    """The ordered list, with statistics over the episodes that are imitated; of the state the `known` ones, if any."""
    chosen = [e for e in episodes if imitated(cache.episodes[e], sources)] or episodes
    names = (*window.commanded, *window.measured)
    turn = [StateQuaternionTo6d(i) for i in reversed(range(len(names))) if names[i : i + 4] == _QUATERNION]
    states, actions = summaries(cache, window, chosen, Pipeline(tuple(turn)))
    steps: list[Transform] = [LowerText()]
    if image_size is not None:
        steps.append(ResizeImages(*image_size))
    steps.append(ImagesToFloat())
    if names:
        state = normalisation(states.stats(), kind, STATE_FLOOR)
        steps += [*turn, known.state if known else NormalizeState(state.offset, state.scale)]
    codec = keep(normalisation(actions.stats(), kind, ACTION_FLOOR), openings(cache.action_spec, actions.moments))
    return Pipeline((*steps, NormalizeActions(codec.offset, codec.scale)))


def summaries(cache: FrameCache, window: Window, episodes: list[int], turn: Pipeline) -> tuple[Summary, Summary]:
    """Of the state (after `turn`) and of the actions, merged from shards of episodes: never all rows at once."""
    states, actions = [], []
    for shard in _shards(cache, episodes):
        frames = np.concatenate([np.arange(*cache.frame_offsets[e : e + 2]) for e in shard])
        states.append(Summary.of(_finite(cache, turn.apply({"state": state_at(cache, frames, window)})["state"])))
        actions.append(Summary.of(_finite(cache, imitated_actions(cache, shard, window.intended))))
    return reduce(Summary.merged, states), reduce(Summary.merged, actions)


def _shards(cache: FrameCache, episodes: list[int]) -> Iterator[list[int]]:
    """Episodes of some SHARD_ROWS actions together."""
    shard, n = [], 0
    for e in episodes:
        shard.append(e)
        n += int(cache.action_offsets[e + 1] - cache.action_offsets[e])
        if n >= SHARD_ROWS:
            yield shard
            shard, n = [], 0
    if shard:
        yield shard


def _finite(cache: FrameCache, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(rows) or not np.isfinite(rows).all():
        raise ReverieError(f"{cache.path}: state or actions have {len(rows)} rows, or numbers that are not finite: mend the data")  # fmt: skip
    return rows


def normalisation(stats: Stats, kind: Kind, floor: float) -> Normalisation:
    """mean_std: mean to 0, standard deviation to 1. quantiles: the 1 % quantile to -1, the 99 % quantile to 1. `floor` is
    the smallest scale: a number that hardly varied in training would otherwise be blown up by a millimetre in use."""
    if kind == "mean_std":
        offset, scale = stats["mean"], stats["std"]
    else:
        offset, scale = (stats["q01"] + stats["q99"]) / 2, (stats["q99"] - stats["q01"]) / 2
    return Normalisation(_floats(offset), _floats(np.maximum(scale, floor)))


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Rounded to six digits: short in the checkpoint, and the same number after a round trip through JSON."""
    return tuple(float(f"{v:.6g}") for v in values)


def openings(spec: ActionSpec, stats: Stats) -> tuple[int, ...]:
    """`gripper_places`, checked against the data: values outside 0..1 would be cut off silently."""
    places = gripper_places(spec)
    for i in places:
        low, high = float(stats["min"][i]), float(stats["max"][i])
        if low < -0.01 or high > 1.01:
            raise ReverieError(
                f"action {spec.names[i]!r} runs from {low:.3g} to {high:.3g}, expected an opening between 0 and 1: "
                "convert the data, or give its mode as delta"
            )
    return places


def fit_shapes(cache: FrameCache, window: Window, transforms: Pipeline, episodes: list[int], known: Known | None = None) -> PolicyShapes:  # fmt: skip
    """Sizes of one frame after the transforms, where on the table things are, and how far actions reach."""
    first = cache.frame_offsets[:1][None]
    images = {f"images.{c}": cache.images[c][first] for c in window.cameras}
    probe = transforms.apply({**images, "state": state_at(cache, first, window), "instructions": [""]})
    sizes = {probe[f"images.{c}"].shape[2:4] for c in window.cameras}
    if len(sizes) != 1:
        raise ReverieError(f"cameras {window.cameras} have sizes {sorted(sizes)}: give image_size, one for all")
    height, width = sizes.pop()
    center, scale = (known.center_m, known.scale_m) if known else _positions(cache, episodes)
    hand, heading = hand_reading(window, transforms), heading_reading(window, transforms)
    grounding = GroundingShapes(
        len(window.cameras), height, width, probe["state"].shape[-1], center, scale, hand, heading
    )
    low, high = action_bounds(cache, window, transforms, episodes)
    places = gripper_places(cache.action_spec)
    return PolicyShapes(window.cameras, cache.action_spec.action_dim, places, grounding, low, high)


def action_bounds(cache: FrameCache, window: Window, transforms: Pipeline, episodes: list[int]) -> tuple[tuple[float, ...], tuple[float, ...]]:  # fmt: skip
    """Smallest and largest normalised action of the episodes, number by number."""
    actions = imitated_actions(cache, episodes, window.intended)
    scaling = Pipeline(tuple(t for t in transforms.transforms if isinstance(t, NormalizeActions)))
    normalised = scaling.apply({"actions": actions})["actions"]
    low, high = normalised.min(0), normalised.max(0)
    return tuple(round(float(v), 4) for v in low), tuple(round(float(v), 4) for v in high)


def hand_reading(window: Window, transforms: Pipeline) -> HandReading | None:
    """Of an observed state, if it begins with x, y, z."""
    found = [t for t in transforms.transforms if isinstance(t, NormalizeState)]
    if (*window.commanded, *window.measured)[:3] != ("x", "y", "z") or not found:
        return None
    (x, y, z), (sx, sy, sz) = found[0].offset[:3], found[0].scale[:3]
    return HandReading(0, (x, y, z), (sx, sy, sz))


def heading_reading(window: Window, transforms: Pipeline) -> HeadingReading | None:
    """Of an observed state that holds a quaternion qw, qx, qy, qz."""
    names = (*window.commanded, *window.measured)
    found = [t for t in transforms.transforms if isinstance(t, NormalizeState)]
    at = names.index("qw") if "qw" in names else len(names)
    if names[at : at + 4] != ("qw", "qx", "qy", "qz") or not found:
        return None
    (w, x, y, z), (sw, sx, sy, sz) = found[0].offset[at : at + 4], found[0].scale[at : at + 4]
    return HeadingReading(at, (w, x, y, z), (sw, sx, sy, sz))


def _positions(cache: FrameCache, episodes: list[int]) -> tuple[tuple[float, float, float], float]:
    """Middle and spread of the things' positions at the start of the episodes."""
    if "object_poses" not in cache.frames:
        return (0.0, 0.0, 0.0), 1.0
    at = cache.frames["object_poses"][cache.frame_offsets[episodes]][..., :3].reshape(-1, 3)
    at = at[np.isfinite(at).all(-1)].astype(np.float64)
    x, y, z = (round(float(v), 4) for v in at.mean(0))
    return (x, y, z), round(max(float(at.std(0).max()), 0.01), 4)
