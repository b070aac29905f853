"""The transforms of a policy, with the statistics of the data it will learn from. No frame is decoded for them."""

import numpy as np
from numpy.typing import NDArray

from reverie.actions.normalisation import by_mean, keep
from reverie.core import ActionSpec, ReverieError
from reverie.data.cache import FrameCache
from reverie.nn.grounding import GroundingShapes, HandReading
from reverie.policies.learned import PolicyShapes
from reverie.training.selection import imitated
from reverie.training.windows import Window, state_at
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
_QUATERNION = ("qw", "qx", "qy", "qz")


def gripper_places(spec: ActionSpec) -> tuple[int, ...]:
    """Which actions are an absolute opening between 0 and 1."""
    if spec.gripper == "none":
        return ()
    return tuple(
        i
        for i, (name, mode) in enumerate(zip(spec.names, spec.modes, strict=True))
        if "gripper" in name and mode == "absolute"
    )


def fit_transforms(cache: FrameCache, window: Window, episodes: list[int], sources: tuple[str, ...], image_size: tuple[int, int] | None) -> Pipeline:  # fmt: skip
    """The ordered list, with means and standard deviations over the episodes that are imitated."""
    chosen = [e for e in episodes if imitated(cache.episodes[e], sources)] or episodes
    states = state_at(cache, np.concatenate([np.arange(*cache.frame_offsets[e : e + 2]) for e in chosen]), window)
    actions = np.concatenate([cache.actions[slice(*cache.action_offsets[e : e + 2])] for e in chosen])
    steps: list[Transform] = [LowerText()]
    if image_size is not None:
        steps.append(ResizeImages(*image_size))
    steps.append(ImagesToFloat())
    names = (*window.commanded, *window.measured)
    if states.shape[-1]:
        turn = [StateQuaternionTo6d(i) for i in reversed(range(len(names))) if names[i : i + 4] == _QUATERNION]
        steps += turn
        columns = Pipeline(tuple(turn)).apply({"state": states})["state"]
        state = by_mean(columns, STATE_FLOOR)
        steps.append(NormalizeState(state.offset, state.scale))
    codec = keep(by_mean(actions, ACTION_FLOOR), openings(cache.action_spec, actions))
    return Pipeline((*steps, NormalizeActions(codec.offset, codec.scale)))


def openings(spec: ActionSpec, actions: NDArray[np.float32]) -> tuple[int, ...]:
    """`gripper_places`, checked against the data: values outside 0..1 would be cut off silently."""
    places = gripper_places(spec)
    for i in places:
        low, high = float(actions[:, i].min()), float(actions[:, i].max())
        if low < -0.01 or high > 1.01:
            raise ReverieError(
                f"action {spec.names[i]!r} runs from {low:.3g} to {high:.3g}, expected an opening between 0 and 1: "
                "convert the data, or give its mode as delta"
            )
    return places


def fit_shapes(cache: FrameCache, window: Window, transforms: Pipeline, episodes: list[int]) -> PolicyShapes:
    """Sizes of one frame after the transforms, where on the table things are, and how far actions reach."""
    first = cache.frame_offsets[:1][None]
    images = {f"images.{c}": cache.images[c][first] for c in window.cameras}
    probe = transforms.apply({**images, "state": state_at(cache, first, window), "instructions": [""]})
    sizes = {probe[f"images.{c}"].shape[2:4] for c in window.cameras}
    if len(sizes) != 1:
        raise ReverieError(f"cameras {window.cameras} have sizes {sorted(sizes)}: give image_size, one for all")
    height, width = sizes.pop()
    center, scale = _positions(cache, episodes)
    state_dim, hand = probe["state"].shape[-1], hand_reading(window, transforms)
    grounding = GroundingShapes(len(window.cameras), height, width, state_dim, center, scale, hand)
    low, high = action_bounds(cache, transforms, episodes)
    places = gripper_places(cache.action_spec)
    return PolicyShapes(window.cameras, cache.action_spec.action_dim, places, grounding, low, high)


def action_bounds(cache: FrameCache, transforms: Pipeline, episodes: list[int]) -> tuple[tuple[float, ...], tuple[float, ...]]:  # fmt: skip
    """Smallest and largest normalised action of the episodes, number by number."""
    actions = np.concatenate([cache.actions[slice(*cache.action_offsets[e : e + 2])] for e in episodes])
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


def _positions(cache: FrameCache, episodes: list[int]) -> tuple[tuple[float, float, float], float]:
    """Middle and spread of the things' positions at the start of the episodes."""
    if "object_poses" not in cache.frames:
        return (0.0, 0.0, 0.0), 1.0
    at = cache.frames["object_poses"][cache.frame_offsets[episodes]][..., :3].reshape(-1, 3)
    at = at[np.isfinite(at).all(-1)].astype(np.float64)
    x, y, z = (round(float(v), 4) for v in at.mean(0))
    return (x, y, z), round(max(float(at.std(0).max()), 0.01), 4)
