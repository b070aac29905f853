"""Edits of where things begin, beyond the ranges in which training scenes are drawn, and of what no image shows."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from reverie.core import Scene
from reverie.edits.values import with_thing
from reverie.scenes.assets import radius_of
from reverie.scenes.placement import GAP_M, X_RANGE_M, Y_RANGE_M
from reverie.scenes.tasks import APART_M, START_HIGH, START_LOW

_OUTSIDE_M = {"near": (0.01, 0.03), "far": (0.04, 0.07)}
_REACHED_M = 0.3
"""Nearer to its base the arm cannot point the hand down at the table."""
_BEYOND = {"near": (1.1, 1.3), "far": (1.5, 1.9)}
_STARTS = (0, 1, 2, 5)
"""Of x y z roll pitch yaw: a hand that tilts at the start is no other task, it only cannot see."""
_TRIES = 400


def target_outside(scene: Scene, level: str, rng: np.random.Generator) -> Scene | None:
    """The target alone, as far from the others as scenes are drawn; None where no free spot was found."""
    target = scene.placement(scene.target)
    for _ in range(_TRIES):
        x, y = _outside(rng, *_OUTSIDE_M[level])
        moved = replace(target, x=round(x, 4), y=round(y, 4))
        if moved.x > _REACHED_M and all(np.hypot(moved.x - o.x, moved.y - o.y) > _room(scene, o.name) for o in scene.objects if o.name != target.name):  # fmt: skip
            return with_thing(scene, moved)
    return None


def _outside(rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    """A spot beyond one of the four edges."""
    spot = [float(rng.uniform(*X_RANGE_M)), float(rng.uniform(*Y_RANGE_M))]
    axis, end = int(rng.integers(2)), int(rng.integers(2))
    spot[axis] = (X_RANGE_M, Y_RANGE_M)[axis][end] + (1 if end else -1) * float(rng.uniform(low, high))
    return spot[0], spot[1]


def _room(scene: Scene, other: str) -> float:
    """How far the target's middle must be from another thing's; a reference that is no container is to be brought near."""
    thing = scene.placement(other)
    touching = radius_of(scene.placement(scene.target).kind) + radius_of(thing.kind) + GAP_M
    return max(touching, APART_M) if other == scene.reference and not thing.container else touching


def start_outside(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    """One coordinate of the hand's start, chosen at random; a height is never lower than the lowest that is trained on."""
    which = int(rng.choice(_STARTS))
    end = START_HIGH if which == 2 or rng.random() < 0.5 else START_LOW
    start = list(scene.robot_start)
    start[which] = round(end[which] * float(rng.uniform(*_BEYOND[level])), 4)
    return replace(scene, robot_start=tuple(start))


def hidden(name: str, factors: Mapping[str, float]) -> Callable[[Scene, str, np.random.Generator], Scene]:
    """The change that sets one entry of `Scene.hidden` by level."""

    def change(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
        return replace(scene, hidden={**scene.hidden, name: factors[level]})

    return change
