"""What could be wrong, as alternatives: another reading of the actions, or other pictures than those that were shown.

Each is wrong for a policy that is wired up right, and right for one that is wired up wrong in just that way. None of them
makes actions smaller: for any imperfect policy that alone would fit better. The size is `scales`' business.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from reverie.core import ActionSpec, Observations, ObservationSpec
from reverie.evaluation.wiring.asking import Array, Change

LAGS = (1, 2, 4, 8)
Reading = Callable[[Array], Array]
"""[R, T, A] -> the same shape, or the part of it that a shifted chunk still covers."""


@dataclass(frozen=True)
class OtherActions:
    """`words` say what would be wrong. plain, other: readings of the answer at the recorded steps `first` .. `first` + T' - 1."""

    words: str
    other: Reading
    plain: Reading = lambda actions: actions
    first: int = 0


@dataclass(frozen=True)
class OtherPictures:
    words: str
    change: Change


def is_opening(spec: ActionSpec, i: int) -> bool:
    """A gripper's, between 0 and 1."""
    return spec.gripper != "none" and spec.units[i] == "1" and spec.modes[i] == "absolute"


def other_actions(spec: ActionSpec, horizon: int) -> list[OtherActions]:
    return [*_signs(spec), *_axes(spec), *_shifts(horizon)]


def _signs(spec: ActionSpec) -> Iterator[OtherActions]:
    for i, name in enumerate(spec.names):
        if is_opening(spec, i):
            yield OtherActions(f"{name} is turned round (1 - value)", _with((i,), lambda v: 1 - v))
        else:
            yield OtherActions(f"{name} has the other sign", _with((i,), lambda v: -v))


def _axes(spec: ActionSpec) -> Iterator[OtherActions]:
    """Pairs of one unit and mode: exchanged, or turned about the third axis."""
    for i, j in combinations(range(spec.action_dim), 2):
        if (spec.units[i], spec.modes[i]) != (spec.units[j], spec.modes[j]) or is_opening(spec, i):
            continue
        a, b = spec.names[i], spec.names[j]
        yield OtherActions(f"{a} and {b} are exchanged", _with((i, j), lambda v: v[..., ::-1]))
        yield OtherActions(f"{a} and {b} are a quarter turn off", _with((i, j), lambda v: v[..., ::-1] * [1, -1]))
        yield OtherActions(f"{a} and {b} are a quarter turn off, the other way", _with((i, j), lambda v: v[..., ::-1] * [-1, 1]))  # fmt: skip
        yield OtherActions(f"{a} and {b} both have the other sign", _with((i, j), lambda v: -v))


def _with(dims: tuple[int, ...], change: Callable[[Array], Array]) -> Reading:
    def read(actions: Array) -> Array:
        changed = actions.copy()
        changed[..., list(dims)] = change(actions[..., list(dims)])
        return changed

    return read


def _shifts(horizon: int) -> Iterator[OtherActions]:
    """Both readings of a shift are compared at the same recorded steps: a policy that knows only the present says the most
    about those that come first, so that a shifted one fits worse unless it is the true one."""
    for k in (lag for lag in LAGS if 2 * lag <= horizon):
        late, early = slice(k, None), slice(None, -k)
        words = f"{k} control step{'s' * (k > 1)}"
        yield OtherActions(f"everything comes {words} late", lambda v, s=late: v[:, s], lambda v, s=early: v[:, s])  # type: ignore[misc]
        yield OtherActions(f"everything comes {words} early", lambda v, s=early: v[:, s], lambda v, s=late: v[:, s], k)  # type: ignore[misc]


def other_pictures(spec: ObservationSpec) -> list[OtherPictures]:
    if not spec.cameras:
        return []
    swaps = [
        OtherPictures(f"cameras {a.name} and {b.name} are exchanged", _exchanged(a.name, b.name))
        for a, b in combinations(spec.cameras, 2)
        if (a.height, a.width) == (b.height, b.width)
    ]
    return [
        *swaps,
        OtherPictures("red and blue are exchanged (BGR)", _every(lambda v: v[..., ::-1])),
        OtherPictures("pictures are upside down", _every(lambda v: v[..., ::-1, :, :])),
        OtherPictures("pictures are mirrored", _every(lambda v: v[..., ::-1, :])),
        OtherPictures("pictures are turned by half", _every(lambda v: v[..., ::-1, ::-1, :])),
    ]


def _exchanged(a: str, b: str) -> Change:
    def change(seen: Observations) -> Observations:
        return replace(seen, images={**seen.images, a: seen.images[b], b: seen.images[a]})

    return change


def _every(turn: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(seen: Observations) -> Observations:
        return replace(seen, images={k: np.ascontiguousarray(turn(v)) for k, v in seen.images.items()})

    return change
