"""Tasks: how a scene is drawn, what counts as success and what as progress. One table, `TASKS`.

Success is asked here as "now": object released, at rest, at its place. Worlds hold it for 0.5 s and latch it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core.errors import ReverieError, unknown_name
from reverie.core.scene import Goal, ObjectPlacement, Scene
from reverie.core.seeding import generator
from reverie.scenes import goals, instructions, placement
from reverie.scenes.assets import BASES, CONTAINERS, OBJECTS, STACKED, ContainerKind, ObjectKind
from reverie.scenes.goals import BESIDE_GAP_M
from reverie.scenes.state import TableState

__all__ = [
    "APART_M",
    "BASIC",
    "BESIDE_GAP_M",
    "FAMILIES",
    "SPLITS",
    "TASKS",
    "Task",
    "clauses",
    "draw_scene",
    "family_of",
    "fits",
    "task_named",
]

SPLITS = ("train", "validation", "test")
NOMINAL = "nominal"
"""The split of the benchmark (`scenes.nominal`): nothing collects it."""
APART_M = 0.2
START_LOW, START_HIGH = (-0.05, -0.1, -0.06, -0.12, -0.12, -0.5), (0.08, 0.1, 0.04, 0.12, 0.12, 0.5)
"""Between which the hand starts, x y z in metres and roll pitch yaw in radians beside the embodiment's home."""
IN_ORDER_STEPS = 160
Objects = tuple[ObjectPlacement, ...]


@dataclass(frozen=True)
class Task:
    """`draw` makes a scene from a generator and an id; `distance` is how far its goal of that place in order is, in m, or
    in rad for a lid."""

    name: str
    draw: Callable[[np.random.Generator, str], Scene]

    def reached(self, scene: Scene, state: TableState) -> tuple[bool, ...]:
        """What holds now of all that is asked, in order."""
        return tuple(goals.reached(scene, goal, state) for goal in scene.goals)

    def success(self, scene: Scene, state: TableState) -> bool:
        """All of it; whether it came about in order, a state cannot tell."""
        return all(self.reached(scene, state))

    def progress(self, scene: Scene, start: TableState, state: TableState, n_reached: int = 0) -> float:
        """0 to 1: a goal that was reached in its turn counts whole, the one whose turn it is by `goals.progress`."""
        current = min(n_reached, len(scene.goals) - 1)
        return (current + goals.progress(scene, scene.goals[current], start, state)) / len(scene.goals)

    def distance(self, scene: Scene, state: TableState, place: int = 0) -> float:
        goal = scene.goals[place]
        return goals.relation_named(goal.relation).distance(scene, goal, state)


def _randomised_start(rng: np.random.Generator) -> tuple[float, ...]:
    shift = rng.uniform(START_LOW[:3], START_HIGH[:3])
    turn = rng.uniform(START_LOW[3:], START_HIGH[3:])
    return tuple(round(float(v), 4) for v in (*shift, *turn))


def _scene(rng: np.random.Generator, scene_id: str, task: str, objects: Objects, *asked: Goal) -> Scene:
    return Scene(
        id=scene_id,
        task=task,
        instruction=instructions.draw(rng, task, *clauses(objects, asked)),
        objects=objects,
        target=asked[0].target,
        reference=asked[0].reference,
        relation=asked[0].relation,
        robot_start=_randomised_start(rng),
        look={"table": "grey"},
        then=asked[1:],
        limit_steps=IN_ORDER_STEPS if len(asked) > 1 else None,
    )


def clauses(objects: Objects, asked: Sequence[Goal]) -> list[instructions.Clause]:
    """What instructions are written from."""
    labels = {o.name: o.label for o in objects}
    return [
        instructions.Clause(FAMILY_OF[g.relation], labels[g.target], labels.get(g.reference, ""), g.relation)
        for g in asked
    ]


def fits(thing: ObjectKind, container: ContainerKind) -> bool:
    """Whether "put" asks for this: the footprint may stick out of the inside by 6 mm, no more."""
    return thing.radius_m < min(container.inner_m) + 0.006


def into(target: ObjectPlacement, container: ObjectPlacement) -> Goal | None:
    """Putting one thing of a scene into or onto another, where it fits."""
    kind = CONTAINERS[container.kind]
    return Goal(target.name, container.name, kind.preposition) if fits(OBJECTS[target.kind], kind) else None


def next_to(target: ObjectPlacement, reference: ObjectPlacement) -> Goal | None:
    """Moving one thing beside another, where they are apart."""
    apart = np.hypot(target.x - reference.x, target.y - reference.y) > APART_M
    return Goal(target.name, reference.name, "beside") if apart else None


def onto(target: ObjectPlacement, reference: ObjectPlacement) -> Goal | None:
    """Stacking one thing on another, where it would stand."""
    stands = target.kind in STACKED and reference.kind in BASES
    return Goal(target.name, reference.name, "on top of") if stands else None


def _draw_put(task: str, *prepositions: str) -> Callable[[np.random.Generator, str], Scene]:
    def draw(rng: np.random.Generator, scene_id: str) -> Scene:
        while True:
            objects = placement.arrange(rng)
            goal = into(objects[0], objects[3])
            if goal is not None and goal.relation in prepositions:
                return _scene(rng, scene_id, task, objects, goal)

    return draw


def _draw_beside(rng: np.random.Generator, scene_id: str) -> Scene:
    objects = placement.arrange(rng, apart_m=APART_M)
    return _scene(rng, scene_id, "move_beside", objects, Goal(objects[0].name, objects[1].name, "beside"))


def _draw_stack(rng: np.random.Generator, scene_id: str) -> Scene:
    while True:
        objects = placement.arrange(rng)
        goal = onto(objects[0], objects[1])
        if goal is not None:
            return _scene(rng, scene_id, "stack", objects, goal)


def _draw_laptop(rng: np.random.Generator, scene_id: str) -> Scene:
    objects = placement.arrange(rng, large=placement.laptops)
    return _scene(rng, scene_id, "close_laptop", objects, Goal(objects[3].name, "", "shut"))


Ask = Callable[[ObjectPlacement, ObjectPlacement], Goal | None]
PAIRS: tuple[tuple[tuple[Ask, int], tuple[Ask, int]], ...] = (
    ((into, 3), (into, 4)),
    ((into, 3), (next_to, 2)),
    ((next_to, 2), (into, 4)),
    ((into, 3), (onto, 2)),
    ((onto, 2), (into, 4)),
)
"""What "A then B" may ask: of object 0 first, then of object 1, each with the place of its reference."""


def _draw_in_order(rng: np.random.Generator, scene_id: str) -> Scene:
    while True:
        objects = placement.arrange(rng)
        (ask, to), (then_ask, then_to) = PAIRS[rng.integers(len(PAIRS))]
        first, second = ask(objects[0], objects[to]), then_ask(objects[1], objects[then_to])
        if first is not None and second is not None:
            return _scene(rng, scene_id, "a_then_b", objects, first, second)


TASKS: dict[str, Task] = {
    "put": Task("put", _draw_put("put", "in", "on")),
    "move_beside": Task("move_beside", _draw_beside),
    "put_in": Task("put_in", _draw_put("put_in", "in")),
    "put_on": Task("put_on", _draw_put("put_on", "on")),
    "stack": Task("stack", _draw_stack),
    "close_laptop": Task("close_laptop", _draw_laptop),
    "a_then_b": Task("a_then_b", _draw_in_order),
}
BASIC = ("put", "move_beside")
"""What the shipped checkpoints were trained on, and what `collect` and `test:N` take unless they are told more."""
FAMILIES = ("put_in", "put_on", "move_beside", "stack", "close_laptop", "a_then_b")
"""The families of the benchmark. "put" is both of the first two."""
FAMILY_OF = {"in": "put_in", "on": "put_on", "beside": "move_beside", "on top of": "stack", "shut": "close_laptop"}
"""relation -> family"""


def family_of(scene: Scene) -> str:
    """Of `FAMILIES`, also for scenes of "put"."""
    return "a_then_b" if scene.then else FAMILY_OF[scene.relation]


def task_named(name: str) -> Task:
    """Errors: ReverieError for a name that is not in `TASKS`, with the nearest."""
    if name not in TASKS:
        raise unknown_name("task", name, list(TASKS))
    return TASKS[name]


def draw_scene(task: str, split: str, index: int) -> Scene:
    """Scene number `index` of a split. Splits never share scenes: the split is part of the seed and of the id.

    Errors: ReverieError for an unknown task or split.
    """
    if split not in (*SPLITS, NOMINAL):
        raise ReverieError(f"unknown split {split!r}: known are {', '.join((*SPLITS, NOMINAL))}")
    return task_named(task).draw(generator("scene", task, split, index), f"{task}/{split}/{index}")
