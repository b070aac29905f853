"""From a robot's log to a small data set: frames resized by area, angles on one branch, some episodes held out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import ceil, tau

import numpy as np
from numpy.typing import NDArray

from reverie.core import CameraSpec, Episode, ReverieError
from reverie.transforms import ResizeImages

HoldOut = Callable[[Sequence[Episode]], list[bool]]
"""Which of the episodes are held out."""


def by_own_split(episodes: Sequence[Episode]) -> list[bool]:
    """As the importer says (`provenance.split`); episodes that it gives no split are an error, not training data."""
    splits = [e.provenance.get("split") for e in episodes]
    if None in splits or len(set(splits)) < 2:
        raise ReverieError(f"the episodes have splits {sorted(set(map(str, splits)))}, expected 'train' and 'val' only")
    return [s == "val" for s in splits]


def last_of_each_instruction(episodes: Sequence[Episode], share: float = 0.25) -> list[bool]:
    """The last quarter of every instruction's episodes, rounded up; an instruction seen once is not held out."""
    held_out = [False] * len(episodes)
    for instruction in {e.instruction for e in episodes}:
        mine = [i for i, e in enumerate(episodes) if e.instruction == instruction]
        for i in mine[len(mine) - ceil(share * len(mine)) :] if len(mine) > 1 else ():
            held_out[i] = True
    return held_out


def prepared(episodes: Iterable[Episode], size: tuple[int, int], hold_out: HoldOut) -> list[Episode]:
    """All episodes, small: frames of `size` (height, width), one branch of every angle, `provenance.split` set."""
    small = [resized(e, *size) for e in episodes]
    held_out = hold_out(small)
    middles = angle_middles([e for e, out in zip(small, held_out, strict=True) if not out])
    return [_marked(on_branch(e, middles), out) for e, out in zip(small, held_out, strict=True)]


def _marked(episode: Episode, held_out: bool) -> Episode:
    return replace(episode, provenance={**episode.provenance, "split": "val" if held_out else "train"})


def resized(episode: Episode, height: int, width: int) -> Episode:
    """Every camera to one size, by area."""
    seen, spec = episode.observations, episode.observation_spec
    flat = ResizeImages(height, width).apply({f"images.{c}": v for c, v in seen.images.items()})
    cameras = tuple(CameraSpec(c.name, height, width) for c in spec.cameras)
    return replace(
        episode,
        observations=replace(seen, images={c: flat[f"images.{c}"] for c in seen.images}),
        observation_spec=replace(spec, cameras=cameras),
    )


def angle_middles(episodes: Sequence[Episode]) -> dict[str, float]:
    """Name -> circular mean of every absolute angle among the actions.

    A hand that points down has a roll near pi, which is stored as pi or as -pi from one frame to the next; means, losses
    and differences of such numbers mean nothing until the jump lies on the other side of the circle.
    """
    spec = episodes[0].action_spec
    angles = [i for i, (u, m) in enumerate(zip(spec.units, spec.modes, strict=True)) if (u, m) == ("rad", "absolute")]
    actions = np.concatenate([e.actions for e in episodes]).astype(np.float64)
    means = {spec.names[i]: np.arctan2(np.sin(actions[:, i]).mean(), np.cos(actions[:, i]).mean()) for i in angles}
    return {name: round(float(mean), 4) for name, mean in means.items()}


def on_branch(episode: Episode, middles: dict[str, float]) -> Episode:
    """Angles of actions and state to within half a turn of their middle: the same rotations."""
    if not middles:
        return episode
    seen, spec = episode.observations, episode.observation_spec
    return replace(
        episode,
        actions=_turned(episode.actions, episode.action_spec.names, middles),
        observations=replace(
            seen,
            commanded=None if seen.commanded is None else _turned(seen.commanded, spec.commanded, middles),
            measured=None if seen.measured is None else _turned(seen.measured, spec.measured, middles),
        ),
        provenance={**episode.provenance, "angles_within_half_a_turn_of_rad": middles},
    )


def _turned(values: NDArray[np.float32], names: tuple[str, ...], middles: dict[str, float]) -> NDArray[np.float32]:
    out = values.astype(np.float64)
    for i, name in enumerate(names):
        if name in middles:
            middle = middles[name]
            out[..., i] = middle + (out[..., i] - middle + tau / 2) % tau - tau / 2
    return out.astype(np.float32)
