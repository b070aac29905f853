"""How an edit writes into a scene's values."""

from dataclasses import replace
from typing import Any

from reverie.core import ObjectPlacement, Scene


def looking(scene: Scene, **look: Any) -> Scene:
    """The scene with these entries of its look."""
    return replace(scene, look={**scene.look, **look})


def with_thing(scene: Scene, thing: ObjectPlacement) -> Scene:
    """The scene with this placement instead of the one of its name."""
    return replace(scene, objects=tuple(thing if o.name == thing.name else o for o in scene.objects))
