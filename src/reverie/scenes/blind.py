"""How often a policy can succeed that never reads the instruction: the bound beside every claim of following language.

Such a policy knows the scene and how scenes are drawn. All instructions that could have been given to a scene are equally
likely, so at best it picks one that counts for most of them: one (object, container) pair for "put"; one unordered pair
of objects for "move beside", since bringing either to the other satisfies both.
"""

from itertools import combinations, product

import numpy as np

from reverie.core.scene import Scene
from reverie.scenes.assets import CONTAINERS, OBJECTS
from reverie.scenes.tasks import APART_M, fits


def best_blind_success(scene: Scene) -> float:
    """Probability that the best guess for this scene is right, if the guess is then carried out without a mistake."""
    objects = [o for o in scene.objects if not o.container]
    containers = [o for o in scene.objects if o.container]
    if scene.task == "put":
        allowed = [1 for o, c in product(objects, containers) if fits(OBJECTS[o.kind], CONTAINERS[c.kind])]
    else:
        allowed = [1 for a, b in combinations(objects, 2) if np.hypot(a.x - b.x, a.y - b.y) > APART_M]
    return 1 / max(len(allowed), 1)
