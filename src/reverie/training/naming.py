"""What an instruction names, and what it could name in the same frame: counterfactual naming.

In four fifths of a demonstration the hand is over its target or holds it, so a network can read the target off the hand
and never learn to look for it. Naming another thing of the scene, in the same sentence, breaks that.
"""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from reverie.core import Scene
from reverie.scenes.assets import CONTAINERS, HINGED, OBJECTS
from reverie.scenes.instructions import TEMPLATES, write


@dataclass(frozen=True)
class Naming:
    """An instruction or a question, and the places of its target and reference in `scene.objects` (-1: not known).
    answer: a place in `questions.ANSWERS` (-1: nothing was asked)."""

    instruction: str
    target: int = -1
    reference: int = -1
    answer: int = -1

    @property
    def things(self) -> tuple[int, int]:
        return self.target, self.reference


def names_in(scene: Scene | None, instruction: str) -> list[Naming]:
    """The naming that was meant, first, then every other: another object as target, another thing of the same sort
    (container or object) as reference. Only where both labels are found in the sentence and nothing is ambiguous."""
    if scene is None or not scene.objects or not scene.target or scene.then:  # of several goals none is the target
        return [Naming(instruction, -1, -1)]
    names = [o.name for o in scene.objects]
    labels = [o.label.lower() for o in scene.objects]
    target = names.index(scene.target)
    reference = names.index(scene.reference) if scene.reference else -1
    meant = Naming(instruction, target, reference)
    sentence = instruction.lower()
    named = [labels[i] for i in (target, reference) if i >= 0]
    if len(set(labels)) < len(labels) or any(sentence.count(n) != 1 for n in named):
        return [meant]
    others = [Naming(_rename(sentence, named, [labels[i] for i in (t, r) if i >= 0]), t, r) for t, r in _pairs(scene, target, reference)]  # fmt: skip
    return [meant, *(o for o in others if o.things != meant.things)]


def _pairs(scene: Scene, target: int, reference: int) -> list[tuple[int, int]]:
    sort = [(o.container, o.kind in HINGED) for o in scene.objects]
    places = range(len(sort))
    targets = [i for i in places if sort[i] == sort[target]]
    references = [-1] if reference < 0 else [i for i in places if sort[i] == sort[reference]]
    return [(t, r) for t in targets for r in references if t != r]


def _rename(sentence: str, before: list[str], after: list[str]) -> str:
    """Replace all labels at once: a label that is put in is not replaced again."""
    marks = [f"\x00{i}\x00" for i in range(len(before))]
    for label, mark in zip(before, marks, strict=True):
        sentence = sentence.replace(label, mark)
    for mark, label in zip(marks, after, strict=True):
        sentence = sentence.replace(mark, label)
    return sentence


def rephrasings(scene: Scene | None, naming: Naming) -> list[str]:
    """The same things named by every training template of the scene's task, whatever the sentence was; none where task,
    target or reference are not known. Held-out paraphrases are not among them."""
    unknown = naming.target < 0 or (naming.reference < 0 and scene is not None and scene.reference)
    if scene is None or scene.task not in TEMPLATES or unknown:
        return []
    target, reference = scene.objects[naming.target], scene.objects[naming.reference] if scene.reference else None
    container = CONTAINERS.get(reference.kind) if reference and reference.container else None
    preposition, to = container.preposition if container else "in", reference.label if reference else ""
    return [write(scene.task, t, target.label, to, preposition) for t in TEMPLATES[scene.task]]


def symmetries(scene: Scene) -> NDArray[np.float32]:
    """Per thing, how many times a full turn looks the same (2 for a brick, 4 for a cube); 0 where a turn means nothing."""
    kinds = [OBJECTS.get(o.kind) if not o.container else None for o in scene.objects]
    return np.array([2 * pi / k.yaw_period_rad if k and k.yaw_period_rad else 0 for k in kinds], dtype=np.float32)
