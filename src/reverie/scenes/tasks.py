"""Tasks: how a scene is drawn, what counts as success and what as progress. One table, `TASKS`.

Success is asked here as "now": object released, at rest, at its place. Worlds hold it for 0.5 s and latch it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reverie.core.errors import ReverieError, unknown_name
from reverie.core.scene import ObjectPlacement, Scene
from reverie.core.seeding import generator
from reverie.scenes import instructions, placement
from reverie.scenes.assets import CONTAINERS, OBJECTS, ContainerKind, ObjectKind, radius_of
from reverie.scenes.state import TableState

SPLITS = ("train", "validation", "test")
BESIDE_GAP_M = 0.06
_REST_M_S = 0.03
APART_M = 0.2
START_LOW, START_HIGH = (-0.05, -0.1, -0.06, -0.12, -0.12, -0.5), (0.08, 0.1, 0.04, 0.12, 0.12, 0.5)
"""Between which the hand starts, x y z in metres and roll pitch yaw in radians beside the embodiment's home."""


@dataclass(frozen=True)
class Task:
    """`draw` makes a scene from a generator and an id; `place_ok` says whether the target is where it belongs;
    `distance_m` is how far it is from there."""

    name: str
    draw: Callable[[np.random.Generator, str], Scene]
    place_ok: Callable[[Scene, TableState], bool]
    distance_m: Callable[[Scene, TableState], float]

    def success(self, scene: Scene, state: TableState) -> bool:
        """Released, at rest, at its place."""
        if state.held == scene.target or scene.target in state.touched:
            return False
        return state.speeds[scene.target] < _REST_M_S and self.place_ok(scene, state)

    def progress(self, scene: Scene, start: TableState, state: TableState) -> float:
        """0 to 1: half for bringing the hand to the target and lifting it, half for bringing the target to its place."""
        target = state.positions[scene.target]
        moved = 1 - self.distance_m(scene, state) / max(self.distance_m(scene, start), 1e-6)
        reach = 1 - np.linalg.norm(state.tcp - target) / np.linalg.norm(start.tcp - start.positions[scene.target])
        got = 0.5 if state.held == scene.target or moved > 0.5 else 0.3 * float(np.clip(reach, 0, 1))
        return float(np.clip(max(got, 0.5 + 0.5 * moved if moved > 0.2 else got), 0, 1))


def _randomised_start(rng: np.random.Generator) -> tuple[float, ...]:
    shift = rng.uniform(START_LOW[:3], START_HIGH[:3])
    turn = rng.uniform(START_LOW[3:], START_HIGH[3:])
    return tuple(round(float(v), 4) for v in (*shift, *turn))


def _scene(rng: np.random.Generator, scene_id: str, task: str, objects: tuple[ObjectPlacement, ...], reference: ObjectPlacement) -> Scene:  # fmt: skip
    target = objects[0]
    container = CONTAINERS.get(reference.kind) if reference.container else None
    preposition = container.preposition if container else "next to"
    return Scene(
        id=scene_id,
        task=task,
        instruction=instructions.draw(rng, task, target.label, reference.label, preposition),
        objects=objects,
        target=target.name,
        reference=reference.name,
        relation="beside" if container is None else preposition,
        robot_start=_randomised_start(rng),
        look={"table": "grey"},
    )


def fits(thing: ObjectKind, container: ContainerKind) -> bool:
    """Whether "put" asks for this: the footprint may stick out of the inside by 6 mm, no more."""
    return thing.radius_m < min(container.inner_m) + 0.006


def _draw_put(rng: np.random.Generator, scene_id: str) -> Scene:
    while True:
        objects = placement.arrange(rng)
        reference = objects[3]
        if fits(OBJECTS[objects[0].kind], CONTAINERS[reference.kind]):
            return _scene(rng, scene_id, "put", objects, reference)


def _draw_beside(rng: np.random.Generator, scene_id: str) -> Scene:
    objects = placement.arrange(rng, apart_m=APART_M)
    return _scene(rng, scene_id, "move_beside", objects, objects[1])


def _in_frame(state: TableState, name: str, reference: str) -> np.ndarray:
    return state.rotations[reference].T @ (state.positions[name] - state.positions[reference])


def _inside(scene: Scene, state: TableState) -> bool:
    kind = CONTAINERS[scene.placement(scene.reference).kind]
    x, y, z = _in_frame(state, scene.target, scene.reference)
    within = np.hypot(x, y) < kind.inner_m[0] if kind.round else abs(x) < kind.inner_m[0] and abs(y) < kind.inner_m[1]
    return bool(within and -0.01 < z - kind.floor_m < 0.07)


def _horizontal(scene: Scene, state: TableState) -> float:
    return float(np.linalg.norm((state.positions[scene.target] - state.positions[scene.reference])[:2]))


def _beside(scene: Scene, state: TableState) -> bool:
    """On the table, the gap between the two footprints' circles at most 6 cm, not on top of it."""
    target, reference = (scene.placement(n) for n in (scene.target, scene.reference))
    reach = radius_of(target.kind) + radius_of(reference.kind) + BESIDE_GAP_M
    on_table = state.positions[scene.target][2] < 0.045 and state.positions[scene.reference][2] < 0.045
    in_container = any(
        np.linalg.norm((state.positions[o.name] - state.positions[scene.target])[:2]) < min(CONTAINERS[o.kind].inner_m)
        for o in scene.objects
        if o.container
    )
    return bool(on_table and not in_container and _horizontal(scene, state) < reach)


TASKS: dict[str, Task] = {
    "put": Task("put", _draw_put, _inside, _horizontal),
    "move_beside": Task("move_beside", _draw_beside, _beside, lambda s, t: max(_horizontal(s, t) - 0.05, 0.0)),
}


def task_named(name: str) -> Task:
    """Errors: ReverieError for a name that is not in `TASKS`, with the nearest."""
    if name not in TASKS:
        raise unknown_name("task", name, list(TASKS))
    return TASKS[name]


def draw_scene(task: str, split: str, index: int) -> Scene:
    """Scene number `index` of a split. Splits never share scenes: the split is part of the seed and of the id.

    Errors: ReverieError for an unknown task or split.
    """
    if split not in SPLITS:
        raise ReverieError(f"unknown split {split!r}: known are {', '.join(SPLITS)}")
    return task_named(task).draw(generator("scene", task, split, index), f"{task}/{split}/{index}")
