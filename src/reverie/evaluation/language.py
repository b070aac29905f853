"""The same scene, told something else: does a policy do what it is told?

The instruction is an edit of the scene, so that everything else (the physics' draws, the policy's noise) is as in the trial
with the scene's own instruction, and the two are a pair.
"""

from collections.abc import Sequence
from dataclasses import replace

from reverie.core import Edit, Scene, generator
from reverie.scenes import instructions
from reverie.scenes.assets import CONTAINERS
from reverie.scenes.blind import blind_chances


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


def swapped(scene: Scene) -> Scene | None:
    """The scene with another of its own tasks: bring another object, to another place where there is a choice. What counts
    as success is that task. None where nothing else can be asked of it."""
    pairs = [(a, b) for pair in blind_chances(scene) for a, b in _orders(scene, pair) if a != scene.target]
    if scene.task != "put":  # bringing A to B is bringing B to A
        pairs = [pair for pair in pairs if set(pair) != {scene.target, scene.reference}]
    pairs = [p for p in pairs if p[1] != scene.reference] or pairs
    if not pairs:
        return None
    rng = generator("swapped", scene.id)
    target, reference = (scene.placement(name) for name in pairs[rng.integers(len(pairs))])
    preposition = CONTAINERS[reference.kind].preposition if reference.container else "next to"
    words = instructions.draw(rng, scene.task, target.label, reference.label, preposition)
    relation = preposition if reference.container else "beside"
    return replace(told(scene, words), target=target.name, reference=reference.name, relation=relation)


def _orders(scene: Scene, pair: tuple[str, str]) -> list[tuple[str, str]]:
    return [pair] if scene.task == "put" else [pair, pair[::-1]]
