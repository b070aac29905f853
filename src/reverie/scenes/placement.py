"""Where things stand: candidates that cannot be told apart by colour or by shape alone, at places that do not touch."""

from collections.abc import Callable

import numpy as np

from reverie.core.errors import ReverieError
from reverie.core.scene import ObjectPlacement
from reverie.scenes.assets import COLORS, CONTAINERS, HINGED, OBJECTS, radius_of

X_RANGE_M, Y_RANGE_M = (0.33, 0.60), (-0.2, 0.2)
GAP_M = 0.035
_CONTAINER_YAW_RAD, _HINGED_YAW_RAD = 0.4, 0.7
_YAW_LIMIT_RAD = 1.2  # beyond it, turning the hand left or right to an elongated object is equally far: two answers


def candidates(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Three (kind, colour) pairs. With the first as target, half of the time another shares its colour or its shape."""
    kinds, colors = list(OBJECTS), list(COLORS)
    picked = [(str(rng.choice(kinds)), str(rng.choice(colors)))]
    while len(picked) < 3:
        kind, color = str(rng.choice(kinds)), str(rng.choice(colors))
        if len(picked) == 1:
            share = rng.random()
            kind = picked[0][0] if share < 0.25 else kind
            color = picked[0][1] if 0.25 <= share < 0.5 else color
        if (kind, color) not in picked:
            picked.append((kind, color))
    return picked


def second_weight(first: ObjectPlacement, second: ObjectPlacement) -> float:
    """How likely `candidates` draws `second` right after `first`, up to a factor that all pairs share; symmetric."""
    same_kind, same_color = first.kind == second.kind, first.color == second.color
    return 0.25 * same_kind / len(COLORS) + 0.25 * same_color / len(OBJECTS) + 0.5 / (len(COLORS) * len(OBJECTS))


def containers(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Two (kind, colour) pairs; half of the time they share their kind or their colour."""
    kinds, colors = list(CONTAINERS), list(COLORS)
    first = (str(rng.choice(kinds)), str(rng.choice(colors)))
    while True:
        share = rng.random()
        kind = first[0] if share < 0.25 else str(rng.choice(kinds))
        color = first[1] if 0.25 <= share < 0.5 else str(rng.choice(colors))
        if (kind, color) != first:
            return [first, (kind, color)]


def laptops(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Two (kind, colour) pairs of different colours."""
    return [("laptop", str(color)) for color in rng.choice(list(COLORS), 2, replace=False)]


Pairs = Callable[[np.random.Generator], list[tuple[str, str]]]


def arrange(rng: np.random.Generator, apart_m: float = 0.0, large: Pairs = containers) -> tuple[ObjectPlacement, ...]:
    """Three objects and two `large` things, none touching; objects 0 and 1 at least `apart_m` from each other."""
    things = [*candidates(rng), *large(rng)]
    radii = [radius_of(kind) for kind, _ in things]
    for _ in range(2000):
        spots = _scatter(rng, radii, apart_m)
        if spots is not None:
            return tuple(
                ObjectPlacement(f"{_sort(kind)}_{i}", kind, color, x, y, _yaw(rng, kind), kind in CONTAINERS)
                for i, ((kind, color), (x, y)) in enumerate(zip(things, spots, strict=True))
            )
    raise ReverieError(f"no room for {things} on the table after 2000 attempts")


def _sort(kind: str) -> str:
    return "container" if kind in CONTAINERS else kind if kind in HINGED else "object"


def _yaw(rng: np.random.Generator, kind: str) -> float:
    limit = {"container": _CONTAINER_YAW_RAD, "object": _YAW_LIMIT_RAD}.get(_sort(kind), _HINGED_YAW_RAD)
    return round(float(rng.uniform(-limit, limit)), 4)


def _scatter(rng: np.random.Generator, radii: list[float], apart_m: float) -> list[tuple[float, float]] | None:
    spots: dict[int, tuple[float, float]] = {}
    for i in sorted(range(len(radii)), key=lambda j: -radii[j]):  # large things first
        for _ in range(40):
            x, y = float(rng.uniform(*X_RANGE_M)), float(rng.uniform(*Y_RANGE_M))
            limits = {j: radii[i] + radii[j] + GAP_M for j in spots}
            if {0, 1} <= {i, *spots}:
                other = 1 - i if i < 2 else -1
                if other in limits:
                    limits[other] = max(limits[other], apart_m)
            if all(np.hypot(x - spots[j][0], y - spots[j][1]) > limit for j, limit in limits.items()):
                spots[i] = (round(x, 4), round(y, 4))
                break
        else:
            return None
    return [spots[i] for i in range(len(radii))]
