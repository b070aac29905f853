"""From an axis and a level to edited scenes. Every draw comes from hash(scene, edit), so both worlds and all policies share it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reverie.core import Edit, ReverieError, Scene, generator, unknown_name
from reverie.edits.axes import AXES, axis_named
from reverie.scenes.tasks import TASKS

EVERY = "all"


def arms_named(spec: str) -> list[tuple[str, str]]:
    """`background`: every level of an axis; `background:red`: one; `all`: every level of every axis that an image shows.

    Errors: ReverieError for unknown names."""
    if spec == EVERY:
        return [(name, level) for name, axis in AXES.items() if not axis.blind for level in axis.levels]
    name, colon, level = spec.partition(":")
    axis = axis_named(name)
    if colon and level not in axis.levels:
        raise unknown_name(f"level of axis {name!r}", level, list(axis.levels))
    return [(name, level)] if colon else [(name, level) for level in axis.levels]


def edited(scene: Scene, axis: str, level: str) -> Scene | None:
    """The scene with one more edit, under its own id; None where it leaves no room for the change.

    Errors: ReverieError for unknown names, and for a scene that starts from a recording or is not of the tabletop, unless
    the axis is interpreted anywhere: nobody would change it."""
    ((axis, level),) = arms_named(f"{axis}:{level}")
    found = AXES[axis]
    if not found.anywhere and (scene.task not in TASKS or not scene.objects):
        raise ReverieError(
            f"axis {axis!r} changes what physics sets up, and scene {scene.id!r} is none of its tabletop scenes: "
            f"ask for {', '.join(n for n, a in AXES.items() if a.anywhere)}, or for other scenes"
        )
    edit, drawn = (
        Edit(name, found.levels[level].severity, {"level": level}) for name in (axis, found.draws_as or axis)
    )
    changed = found.change(scene, level, generator("edit", scene.id, drawn.id))
    return None if changed is None else replace(changed, edits=(*scene.edits, edit))


def edited_scenes(scenes: Sequence[Scene], specs: Iterable[str]) -> list[Scene]:
    """The edited scenes of every arm in turn; a scene without room for an arm's change is not in that arm.

    Errors: ReverieError as `edited`, and for an arm for which no scene has room."""
    arms = dict.fromkeys(arm for spec in specs for arm in arms_named(spec))
    found: list[Scene] = []
    for axis, level in arms:
        changed = [s for s in (edited(scene, axis, level) for scene in scenes) if s is not None]
        if scenes and not changed:
            raise ReverieError(
                f"none of the {len(scenes)} scenes leaves room for {axis}:{level}: draw more, or leave it out"
            )
        found += changed
    return found
