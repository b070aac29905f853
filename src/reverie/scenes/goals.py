"""Goals: what counts as reached and how far it is from there, by relation. One table, `RELATIONS`.

A goal is asked about as "now": its target released, at rest, where it belongs. In which order goals were reached is the
matter of `scenes.order`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reverie.core.errors import unknown_name
from reverie.core.scene import Goal, Scene
from reverie.scenes.assets import ALL_OBJECTS, CONTAINERS, HINGED, radius_of
from reverie.scenes.state import TableState

BESIDE_GAP_M = 0.06
SHUT_RAD = 0.12
"""A lid that is open less than this is shut: its edge is then within 12 mm of the base."""
_REST_M_S = 0.03
_RESTING_M = 0.008


@dataclass(frozen=True)
class Relation:
    """place_ok: whether the target is where it belongs. distance: how far from there, in m, or in rad for a lid."""

    place_ok: Callable[[Scene, Goal, TableState], bool]
    distance: Callable[[Scene, Goal, TableState], float]


def reached(scene: Scene, goal: Goal, state: TableState) -> bool:
    """Released, at rest, at its place."""
    if state.held == goal.target or goal.target in state.touched:
        return False
    return state.speeds[goal.target] < _REST_M_S and relation_named(goal.relation).place_ok(scene, goal, state)


def progress(scene: Scene, goal: Goal, start: TableState, state: TableState) -> float:
    """0 to 1: half for bringing the hand to the target and lifting it, half for bringing the target to its place."""
    target, distance = state.positions[goal.target], relation_named(goal.relation).distance
    moved = 1 - distance(scene, goal, state) / max(distance(scene, goal, start), 1e-6)
    reach = 1 - np.linalg.norm(state.tcp - target) / np.linalg.norm(start.tcp - start.positions[goal.target])
    got = 0.5 if state.held == goal.target or moved > 0.5 else 0.3 * float(np.clip(reach, 0, 1))
    return float(np.clip(max(got, 0.5 + 0.5 * moved if moved > 0.2 else got), 0, 1))


def _in_frame(state: TableState, name: str, reference: str) -> np.ndarray:
    return state.rotations[reference].T @ (state.positions[name] - state.positions[reference])


def _inside(scene: Scene, goal: Goal, state: TableState) -> bool:
    kind = CONTAINERS[scene.placement(goal.reference).kind]
    x, y, z = _in_frame(state, goal.target, goal.reference)
    within = np.hypot(x, y) < kind.inner_m[0] if kind.round else abs(x) < kind.inner_m[0] and abs(y) < kind.inner_m[1]
    return bool(within and -0.01 < z - kind.floor_m < 0.07)


def _horizontal(scene: Scene, goal: Goal, state: TableState) -> float:
    return float(np.linalg.norm((state.positions[goal.target] - state.positions[goal.reference])[:2]))


def _beside(scene: Scene, goal: Goal, state: TableState) -> bool:
    """On the table, the gap between the two footprints' circles at most 6 cm, not on top of it."""
    target, reference = (scene.placement(n) for n in (goal.target, goal.reference))
    reach = radius_of(target.kind) + radius_of(reference.kind) + BESIDE_GAP_M
    on_table = state.positions[goal.target][2] < 0.045 and state.positions[goal.reference][2] < 0.045
    in_container = any(
        np.linalg.norm((state.positions[o.name] - state.positions[goal.target])[:2]) < min(CONTAINERS[o.kind].inner_m)
        for o in scene.objects
        if o.container
    )
    return bool(on_table and not in_container and _horizontal(scene, goal, state) < reach)


def _on_top(scene: Scene, goal: Goal, state: TableState) -> bool:
    """Both upright, the target's middle over the reference, one resting on the other."""
    target, reference = (scene.placement(n) for n in (goal.target, goal.reference))
    upright = all(abs(state.rotations[n][2, 2]) > 0.95 for n in (goal.target, goal.reference))
    apart = (ALL_OBJECTS[target.kind].height_m + ALL_OBJECTS[reference.kind].height_m) / 2
    above = float(state.positions[goal.target][2] - state.positions[goal.reference][2])
    over = _horizontal(scene, goal, state) < radius_of(reference.kind)
    return bool(upright and over and abs(above - apart) < _RESTING_M)


def _open(scene: Scene, goal: Goal, state: TableState) -> float:
    return float(state.angles[goal.target])


def _shut(scene: Scene, goal: Goal, state: TableState) -> bool:
    assert scene.placement(goal.target).kind in HINGED
    return _open(scene, goal, state) < SHUT_RAD


def _near(scene: Scene, goal: Goal, state: TableState) -> float:
    return max(_horizontal(scene, goal, state) - 0.05, 0.0)


RELATIONS: dict[str, Relation] = {
    "in": Relation(_inside, _horizontal),
    "on": Relation(_inside, _horizontal),
    "beside": Relation(_beside, _near),
    "on top of": Relation(_on_top, _horizontal),
    "shut": Relation(_shut, _open),
}


def relation_named(name: str) -> Relation:
    """Errors: ReverieError for a name that is not in `RELATIONS`, with the nearest."""
    if name not in RELATIONS:
        raise unknown_name("relation", name, list(RELATIONS))
    return RELATIONS[name]
