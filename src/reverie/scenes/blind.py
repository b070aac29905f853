"""How often a policy can succeed that never reads the instruction: the bound beside every claim of following language.

Such a policy sees the scene and knows how scenes are drawn: half of the time `placement.candidates` gives the second object
the kind or the colour of the first, which is the target (and in "move beside" and "stack" the second is the reference). So a
pair that looks alike betrays whom the instruction means, and the bound is the largest posterior probability, not one over the
number of possible instructions. What places tell is left out: they are drawn nearly alike whoever is target.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, permutations, product

from reverie.core.errors import ReverieError
from reverie.core.scene import Goal, ObjectPlacement, Scene
from reverie.scenes.assets import HINGED
from reverie.scenes.placement import second_weight
from reverie.scenes.tasks import PAIRS, into, next_to, onto, task_named

Goals = tuple[Goal, ...]
Weighted = Iterator[tuple[Goals, float]]
Objects = tuple[ObjectPlacement, ...]


def blind_chances(scene: Scene) -> dict[Goals, float]:
    """What may have been asked, goals in order -> its probability for one who sees the scene only; they sum to 1.

    Of "move beside" both orders of a pair are named, with half of its probability each, though bringing either to the other
    satisfies both. Errors: ReverieError for a scene in which nothing can be asked.
    """
    weights: dict[Goals, float] = {}
    for goals, weight in _WEIGHTED[task_named(scene.task).name](scene.objects):
        weights[goals] = weights.get(goals, 0.0) + weight
    if not weights:
        raise ReverieError(f"scene {scene.id!r} has no two things that {scene.task!r} could be about: draw another")
    return {goals: weight / sum(weights.values()) for goals, weight in weights.items()}


def best_blind_success(scene: Scene) -> float:
    """Probability that the best guess for this scene is right, if the guess is then carried out without a mistake."""
    chances: dict[object, float] = {}
    for goals, chance in blind_chances(scene).items():
        alike = tuple(satisfied_by(g) for g in goals)
        chances[alike] = chances.get(alike, 0.0) + chance
    return max(chances.values())


def satisfied_by(goal: Goal) -> object:
    """Equal for goals that are reached together: bringing A to B is bringing B to A."""
    return (frozenset((goal.target, goal.reference)), "beside") if goal.relation == "beside" else goal


def _things(objects: Objects) -> tuple[Objects, Objects]:
    small = tuple(o for o in objects if not o.container and o.kind not in HINGED)
    return small, tuple(o for o in objects if o.container)


def _put(*prepositions: str) -> Callable[[Objects], Weighted]:
    def weighted(objects: Objects) -> Weighted:
        small, containers = _things(objects)
        for thing, container in product(small, containers):
            goal = into(thing, container)
            if goal is not None and goal.relation in prepositions:
                yield (goal,), sum(second_weight(thing, other) for other in small if other is not thing)

    return weighted


def _beside(objects: Objects) -> Weighted:
    for a, b in combinations(_things(objects)[0], 2):
        both = next_to(a, b), next_to(b, a)
        yield from (((goal,), second_weight(a, b) / 2) for goal in both if goal is not None)


def _stack(objects: Objects) -> Weighted:
    for a, b in permutations(_things(objects)[0], 2):
        goal = onto(a, b)
        if goal is not None:
            yield (goal,), second_weight(a, b)


def _laptop(objects: Objects) -> Weighted:
    yield from (((Goal(o.name, "", "shut"),), 1.0) for o in objects if o.kind in HINGED)


def _in_order(objects: Objects) -> Weighted:
    """Every way in which the things may have been drawn in another order."""
    small, containers = _things(objects)
    for drawn in (s + c for s in permutations(small) for c in permutations(containers)):
        for (ask, to), (then_ask, then_to) in PAIRS:
            first, second = ask(drawn[0], drawn[to]), then_ask(drawn[1], drawn[then_to])
            if first is not None and second is not None:
                yield (first, second), second_weight(drawn[0], drawn[1])


_WEIGHTED: Mapping[str, Callable[[Objects], Weighted]] = {
    "put": _put("in", "on"),
    "put_in": _put("in"),
    "put_on": _put("on"),
    "move_beside": _beside,
    "stack": _stack,
    "close_laptop": _laptop,
    "a_then_b": _in_order,
}
