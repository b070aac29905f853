"""Scenes with a shape or a colour that no training scene shows, and the words that name it."""

from dataclasses import replace
from typing import Literal

from reverie.core.scene import Scene
from reverie.core.seeding import generator
from reverie.scenes.assets import CONTAINERS, UNSEEN_COLORS, UNSEEN_OBJECTS
from reverie.scenes.tasks import draw_scene, fits

What = Literal["shape", "color", "both"]


def draw_unseen(task: str, what: What, index: int) -> Scene:
    """Test scene `index` of a task with its target of an unseen shape, colour or both; everything else stays."""
    scene, rng = draw_scene(task, "test", index), generator("unseen", task, what, index)
    target = scene.placement(scene.target)
    container = CONTAINERS.get(scene.placement(scene.reference).kind)
    kinds = [k for k, kind in UNSEEN_OBJECTS.items() if container is None or fits(kind, container)]
    kind = str(rng.choice(kinds)) if what != "color" else target.kind
    color = str(rng.choice(list(UNSEEN_COLORS))) if what != "shape" else target.color
    novel = replace(target, kind=kind, color=color)
    return replace(
        scene,
        id=f"{task}/unseen_{what}/{index}",
        instruction=scene.instruction.replace(target.label, novel.label),
        objects=tuple(novel if o.name == target.name else o for o in scene.objects),
    )
