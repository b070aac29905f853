"""A target of a shape or a colour that no training scene shows, and the words that name it."""

from dataclasses import replace

import numpy as np

from reverie.core import ReverieError, Scene
from reverie.edits.values import with_thing
from reverie.scenes.assets import CONTAINERS, UNSEEN_COLORS, UNSEEN_OBJECTS
from reverie.scenes.tasks import fits


def target(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    """The target's kind, colour or both; it stands where it stood, everything else stays. Only shapes that fit where they
    are to go.

    Errors: ReverieError where the instruction does not name the target by its label."""
    old = scene.placement(scene.target)
    if old.label not in scene.instruction:
        raise ReverieError(f"scene {scene.id!r}: the instruction {scene.instruction!r} does not name the {old.label}")
    container = CONTAINERS.get(scene.placement(scene.reference).kind)
    kinds = [k for k, kind in UNSEEN_OBJECTS.items() if container is None or fits(kind, container)]
    kind = str(rng.choice(kinds)) if level != "color" else old.kind
    color = str(rng.choice(list(UNSEEN_COLORS))) if level != "shape" else old.color
    new = replace(old, kind=kind, color=color)
    return replace(with_thing(scene, new), instruction=scene.instruction.replace(old.label, new.label))
