"""The same scene, told something else: does a policy do what it is told?

The instruction is an edit of the scene, so that everything else (the physics' draws, the policy's noise) is as in the trial
with the scene's own instruction, and the two are a pair.
"""

from collections.abc import Sequence
from dataclasses import replace

from reverie.core import Edit, Scene, generator
from reverie.scenes import instructions
from reverie.scenes.blind import blind_chances
from reverie.scenes.tasks import clauses


def told(scene: Scene, instruction: str) -> Scene:
    """The scene and what counts as its success stay; only the words change."""
    edit = Edit("instruction", 1.0, {"instruction": instruction})
    return replace(scene, instruction=instruction, edits=(*scene.edits, edit))


def shuffled(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """Every scene with the instruction of the next one of its task, whose things hardly ever stand in it."""
    following: dict[str, str] = {}
    for task in dict.fromkeys(s.task for s in scenes):
        family = [s for s in scenes if s.task == task]
        following |= {s.id: family[(i + 1) % len(family)].instruction for i, s in enumerate(family)}
    return tuple(told(s, following[s.id]) for s in scenes)


def asked_of(scene: Scene) -> list[instructions.Clause]:
    return clauses(scene.objects, scene.goals)


def swapped(scene: Scene) -> Scene | None:
    """The scene with another of its own tasks: bring another object, to another place where there is a choice. What counts
    as success is that task. None where nothing else can be asked of it."""
    others = [goals for goals in blind_chances(scene) if goals[0].target != scene.target]
    if scene.task == "move_beside":  # bringing A to B is bringing B to A
        others = [g for g in others if {g[0].target, g[0].reference} != {scene.target, scene.reference}]
    others = [g for g in others if g[0].reference != scene.reference] or others
    if not others:
        return None
    rng = generator("swapped", scene.id)
    first, *then = others[rng.integers(len(others))]
    words = instructions.draw(rng, scene.task, *clauses(scene.objects, (first, *then)))
    asked = replace(scene, target=first.target, reference=first.reference, relation=first.relation, then=tuple(then))
    return told(asked, words)
