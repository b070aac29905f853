"""Plushies beside the path: where the hand does not come by, and where no standing camera loses sight of target or reference."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reverie.core import Distractor, ObjectPlacement, Scene
from reverie.embodiments import panda
from reverie.embodiments.cameras import project, projection
from reverie.scenes.assets import ALL_OBJECTS, radius_of
from reverie.scenes.surroundings import PLUSHIES
from reverie.scenes.tasks import BESIDE_GAP_M

Array = NDArray[np.float64]
SMALL, LARGE = 1.0, 3.0
"""Widths, in widths of the target."""
_COUNTS = {"one": 1, "two": 2, "three": 3}
_X_RANGE_M, _Y_RANGE_M = (0.2, 0.78), (-0.34, 0.34)
_TRIES = 3000
_GAP_M, _FINGERS_M, _HAND_M = 0.02, 0.075, 0.1
"""Between plushies and things; around the target's middle, for open fingers; around the hand's path, for what is as high
as the hand travels."""
_LOW_M = 0.1
"""What is lower than this does not reach the hand on its way."""
_BASE_M = 0.1
_STANDING = tuple(c for c in panda.CAMERAS if c.mount == "base")


def small(scene: Scene, level: str, rng: np.random.Generator) -> Scene | None:
    return _beside(scene, _COUNTS[level], SMALL, rng)


def large(scene: Scene, level: str, rng: np.random.Generator) -> Scene | None:
    return _beside(scene, _COUNTS[level], LARGE, rng)


def width_m(kind: str) -> float:
    """Of an object: the edge of a cube as large as the box around it, so that a long bar is no giant."""
    thing = ALL_OBJECTS[kind]
    return float((4 * thing.radius_m**2 * thing.height_m) ** (1 / 3))


def _beside(scene: Scene, count: int, scale: float, rng: np.random.Generator) -> Scene | None:
    """`count` different plushies; None where they find no place."""
    size = round(scale * width_m(scene.placement(scene.target).kind), 4)
    kinds = [str(k) for k in rng.permutation(list(PLUSHIES))[:count]]
    for _ in range(_TRIES):
        if not kinds:
            return scene
        x, y = (round(float(rng.uniform(*r)), 4) for r in (_X_RANGE_M, _Y_RANGE_M))
        plushie = Distractor(kinds[-1], x, y, round(float(rng.uniform(-np.pi, np.pi)), 4), size)
        if _clear(scene, plushie) and _in_sight(scene, plushie):
            scene = replace(scene, distractors=(*scene.distractors, plushie))
            kinds.pop()
    return None


def _clear(scene: Scene, plushie: Distractor) -> bool:
    """Touches nothing, and is not where the hand, its fingers or what it carries come by."""
    spot, radius = np.array([plushie.x, plushie.y]), plushie.size_m / 2
    things = all(np.linalg.norm(spot - _flat(o)) > radius + _reach(scene, o) for o in scene.objects)
    others = all(np.hypot(plushie.x - d.x, plushie.y - d.y) > radius + d.size_m / 2 + _GAP_M for d in scene.distractors)
    tall = _height(plushie) > _LOW_M
    path = not tall or all(_distance(spot, a, b) > radius + _HAND_M for a, b in _path(scene))
    return bool(things and others and path and np.linalg.norm(spot) > radius + _BASE_M)


def _reach(scene: Scene, thing: ObjectPlacement) -> float:
    """How much room around a thing's middle stays free. Beside a reference that is no container the target is put down, on
    whichever side."""
    own = radius_of(thing.kind) + _GAP_M
    if thing.name == scene.target:
        return max(own, _FINGERS_M)
    if thing.name == scene.reference and not thing.container:
        return own + 2 * radius_of(scene.placement(scene.target).kind) + BESIDE_GAP_M
    return own


def _path(scene: Scene) -> list[tuple[Array, Array]]:
    """Pieces, seen from above: from the hand's start over the target to the reference."""
    start = panda.HOME_POSITION[:2] + np.array(scene.robot_start[:2])
    target, reference = (_flat(scene.placement(n)) for n in (scene.target, scene.reference))
    return [(start, target), (target, reference)]


def _in_sight(scene: Scene, plushie: Distractor) -> bool:
    """Two standing cameras at least show its middle, and it stands before target and reference in none."""
    middle = np.array([plushie.x, plushie.y, _height(plushie) / 2])
    radius = max(plushie.size_m, _height(plushie)) / 2
    for camera in _STANDING:
        eye = np.array(camera.position)
        for thing in (scene.placement(scene.target), scene.placement(scene.reference)):
            seen = np.array([thing.x, thing.y, 0.02])
            if _distance(middle, eye, seen) < radius + radius_of(thing.kind) and _nearer(eye, middle, seen):
                return False
    return sum(_shows(c.name, middle) for c in _STANDING) >= 2


def _nearer(eye: Array, first: Array, second: Array) -> bool:
    return bool(np.linalg.norm(first - eye) < np.linalg.norm(second - eye))


def _shows(name: str, point: Array) -> bool:
    camera = next(c for c in _STANDING if c.name == name)
    (u, v), depth = project(projection(camera, np.eye(4)[None])[0], point)
    return bool(depth > 0 and 0 <= u < camera.width and 0 <= v < camera.height)


def _distance(point: Array, start: Array, end: Array) -> float:
    """From a point to a piece of a line, in any number of dimensions."""
    along = end - start
    share = np.clip((point - start) @ along / max(float(along @ along), 1e-12), 0, 1)
    return float(np.linalg.norm(point - start - share * along))


def _flat(thing: ObjectPlacement) -> Array:
    return np.array([thing.x, thing.y])


def _height(plushie: Distractor) -> float:
    return PLUSHIES[plushie.kind].height * plushie.size_m
