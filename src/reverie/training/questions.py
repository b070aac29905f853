"""Simple questions about a simulated scene, with their answers: the second half of pretraining a grounded backbone.

What is asked about is also where to look: a question that names one thing supervises its heat-map, like an instruction.
"Left" is the robot's: towards positive y in its base frame.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reverie.core import ObjectPlacement, Scene
from reverie.scenes.assets import COLORS, CONTAINERS, OBJECTS
from reverie.training.naming import Naming

NUMBERS = ("zero", "one", "two", "three", "four", "five")
ANSWERS = ("yes", "no", *NUMBERS, *COLORS, *OBJECTS, *CONTAINERS)
CLEAR_M = 0.03
"""Things closer to each other than this, sideways, are not asked about by "left of"."""


def ask(scene: Scene, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming:
    """One question about `scene` with its things at `poses` [O, 7]; every kind of question is equally likely."""
    kinds = list(KINDS.values())
    for i in rng.permutation(len(kinds)):
        question: Naming | None = kinds[i](scene.objects, poses, rng)
        if question is not None:
            return question
    raise AssertionError("`how many` can always be asked")


Things = tuple[ObjectPlacement, ...]
Asks = Callable[[Things, NDArray[np.floating], np.random.Generator], Naming | None]


def _answer(word: str) -> int:
    return ANSWERS.index(word)


def _is_there(things: Things, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming:
    """Half of the time about something that is not there but shares the colour or the shape of something that is."""
    thing = things[rng.integers(len(things))]
    labels = [t.label for t in things]
    if rng.random() < 0.5:
        place = labels.index(thing.label)
        return Naming(
            f"is there a {thing.label}?", answer=_answer("yes"), target=place if labels.count(thing.label) == 1 else -1
        )
    kinds = list(CONTAINERS if thing.container else OBJECTS)
    others = [f"{c} {thing.kind}" for c in COLORS] + [f"{thing.color} {k}" for k in kinds]
    absent = [o for o in others if o not in labels]
    return Naming(f"is there a {absent[rng.integers(len(absent))]}?", answer=_answer("no"))


def _which_color(things: Things, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming | None:
    place = _alone([t.kind for t in things], rng)
    if place is None:
        return None
    return Naming(f"what color is the {things[place].kind}?", answer=_answer(things[place].color), target=place)


def _which_shape(things: Things, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming | None:
    place = _alone([t.color for t in things], rng)
    if place is None or things[place].kind not in ANSWERS:  # kinds that came later have no answer of their own
        return None
    return Naming(f"what is {things[place].color}?", answer=_answer(things[place].kind), target=place)


def _how_many(things: Things, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming:
    there = [t.color for t in things]
    color = str(rng.choice(there if rng.random() < 0.7 else list(COLORS)))
    return Naming(f"how many {color} things are there?", answer=_answer(NUMBERS[there.count(color)]))


def _left_of(things: Things, poses: NDArray[np.floating], rng: np.random.Generator) -> Naming | None:
    a, b = (int(i) for i in rng.choice(len(things), 2, replace=False))
    labels, across = [t.label for t in things], float(poses[a, 1] - poses[b, 1])
    if len(set(labels)) < len(labels) or not abs(across) > CLEAR_M:  # a missing pose is NaN
        return None
    text = f"is the {labels[a]} left of the {labels[b]}?"
    return Naming(text, a, b, _answer("yes" if across > 0 else "no"))


def _alone(words: list[str], rng: np.random.Generator) -> int | None:
    """The place of a word that occurs once."""
    single = [i for i, word in enumerate(words) if Counter(words)[word] == 1]
    return int(rng.choice(single)) if single else None


KINDS: dict[str, Asks] = {
    "is_there": _is_there,
    "which_color": _which_color,
    "which_shape": _which_shape,
    "how_many": _how_many,
    "left_of": _left_of,
}
