"""How often a policy can succeed that never reads the instruction: the bound beside every claim of following language.

Such a policy sees the scene and knows how scenes are drawn: half of the time `placement.candidates` gives the second object
the kind or the colour of the first, which is the target (and in "move beside" the second is the reference). So a pair that
looks alike betrays whom the instruction means, and the bound is the largest posterior probability, not one over the number
of possible instructions. What places tell is left out: they are drawn nearly alike whoever is target.
"""

from itertools import combinations, product

import numpy as np

from reverie.core.errors import ReverieError
from reverie.core.scene import Scene
from reverie.scenes.assets import CONTAINERS, OBJECTS
from reverie.scenes.placement import second_weight
from reverie.scenes.tasks import APART_M, fits


def blind_chances(scene: Scene) -> dict[tuple[str, str], float]:
    """What may have been asked -> its probability for one who sees the scene only; they sum to 1.

    Keys are (object, container) for "put"; (object, object), in either order, for "move beside", since bringing either to
    the other satisfies both. Errors: ReverieError for a scene in which nothing can be asked.
    """
    objects = [o for o in scene.objects if not o.container]
    containers = [o for o in scene.objects if o.container]
    if scene.task == "put":
        likely = {o: sum(second_weight(o, other) for other in objects if other is not o) for o in objects}
        pairs = [(o, c) for o, c in product(objects, containers) if fits(OBJECTS[o.kind], CONTAINERS[c.kind])]
        weights = {(o.name, c.name): likely[o] for o, c in pairs}
    else:
        apart = [(a, b) for a, b in combinations(objects, 2) if np.hypot(a.x - b.x, a.y - b.y) > APART_M]
        weights = {(a.name, b.name): second_weight(a, b) for a, b in apart}
    if not weights:
        raise ReverieError(f"scene {scene.id!r} has no two things that {scene.task!r} could be about: draw another")
    return {pair: weight / sum(weights.values()) for pair, weight in weights.items()}


def best_blind_success(scene: Scene) -> float:
    """Probability that the best guess for this scene is right, if the guess is then carried out without a mistake."""
    return max(blind_chances(scene).values())
