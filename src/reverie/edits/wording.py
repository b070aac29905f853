"""The same task in other words. What is asked for stays true and stays unambiguous; only `Scene.instruction` changes.

Names of things follow the words of `scenes.assets`; templates of other languages are keyed by task, as those of
`scenes.instructions` are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from reverie.core import ObjectPlacement, Scene, unknown_name
from reverie.scenes import instructions
from reverie.scenes.assets import CONTAINERS
from reverie.scenes.tasks import clauses

Value = TypeVar("Value")


@dataclass(frozen=True)
class Language:
    """thing: how colour and kind make a name that holds its own cases (no article that would change). Templates by task and,
    for containers, by their preposition."""

    thing: str
    kinds: dict[str, str]
    colors: dict[str, str]
    templates: dict[str, dict[str, str]]


GERMAN = Language(
    "{kind} ({color})",
    {
        "cube": "Würfel", "brick": "Ziegel", "bar": "Stab", "can": "Dose", "ball": "Ball", "egg": "Ei", "corner": "Winkel",
        "bottle": "Flasche", "bowl": "Schüssel", "box": "Kiste", "tray": "Tablett", "plate": "Teller", "cross": "Kreuz",
        "pyramid": "Pyramide", "mushroom": "Pilz", "hammer": "Hammer", "ring": "Ring",
    },
    {
        "red": "rot", "green": "grün", "blue": "blau", "yellow": "gelb", "orange": "orange", "purple": "lila",
        "cyan": "türkis", "pink": "rosa", "brown": "braun", "white": "weiß",
    },
    {
        "put": {"in": "{target}: bitte hinein in {reference}", "on": "{target}: bitte hinauf auf {reference}"},
        "move_beside": {"next to": "{target}: bitte direkt neben {reference} stellen"},
    },
)  # fmt: skip
SPANISH = Language(
    "{kind} de color {color}",
    {
        "cube": "cubo", "brick": "ladrillo", "bar": "barra", "can": "lata", "ball": "bola", "egg": "huevo",
        "corner": "esquina", "bottle": "botella", "bowl": "cuenco", "box": "caja", "tray": "bandeja", "plate": "plato",
        "cross": "cruz", "pyramid": "pirámide", "mushroom": "seta", "hammer": "martillo", "ring": "anillo",
    },
    {
        "red": "rojo", "green": "verde", "blue": "azul", "yellow": "amarillo", "orange": "naranja", "purple": "morado",
        "cyan": "turquesa", "pink": "rosa", "brown": "marrón", "white": "blanco",
    },
    {
        "put": {"in": "coloca: {target}, dentro de: {reference}", "on": "coloca: {target}, encima de: {reference}"},
        "move_beside": {"next to": "coloca: {target}, al lado de: {reference}"},
    },
)  # fmt: skip
_PLAIN = {"thing": "thing", "container": "container"}
_SHORTEST_MISSPELT = 4


def reworded(scene: Scene, level: str, rng: np.random.Generator) -> Scene | None:
    words = _LEVELS[level](scene, rng)
    return None if words is None or words == scene.instruction else replace(scene, instruction=words)


def _rephrased(scene: Scene, rng: np.random.Generator) -> str:
    return instructions.paraphrase(rng, scene.task, *clauses(scene.objects, scene.goals))


def _more_specific(scene: Scene, rng: np.random.Generator) -> str:
    return f"{scene.instruction}; touch nothing else on the table, and let go of it when it is there"


def _less_specific(scene: Scene, rng: np.random.Generator) -> str | None:
    """Colour or shape of the target and of the reference are left out where the other one tells; None where neither can be."""
    words = scene.instruction
    for thing in _meant(scene):
        words = words.replace(thing.label, _short(scene, thing))
    return None if words == scene.instruction else words


def _short(scene: Scene, thing: ObjectPlacement) -> str:
    alike = [o for o in scene.objects if o.name != thing.name]
    if all(o.kind != thing.kind for o in alike):
        return thing.kind
    if all(o.color != thing.color for o in alike if o.container == thing.container):
        return f"{thing.color} {_PLAIN['container' if thing.container else 'thing']}"
    return thing.label


def _misspelt(scene: Scene, rng: np.random.Generator) -> str:
    """Two neighbouring letters inside two words change places; words of which that changes nothing are left out."""
    words = scene.instruction.split(" ")
    able = [i for i, w in enumerate(words) if _swaps(w)]
    for i in sorted(rng.permutation(able)[:2].tolist()):
        swaps = _swaps(words[i])
        at = swaps[rng.integers(len(swaps))]
        word = words[i]
        words[i] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _swaps(word: str) -> list[int]:
    """Places inside a word after its first letter where two neighbours differ."""
    if len(word) < _SHORTEST_MISSPELT or not re.fullmatch(r"[a-z]+", word):
        return []
    return [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]


def _in(language: Language) -> "Change":
    def translated(scene: Scene, rng: np.random.Generator) -> str:
        target, reference = _meant(scene)
        templates = _of_task(scene, language.templates, "translations")
        named = {n: language.thing.format(kind=language.kinds[o.kind], color=language.colors[o.color]) for n, o in (("target", target), ("reference", reference))}  # fmt: skip
        return templates[preposition(reference)].format(**named)

    return translated


def preposition(reference: ObjectPlacement) -> str:
    """The word that instructions use for going there."""
    return CONTAINERS[reference.kind].preposition if reference.container else "next to"


def _meant(scene: Scene) -> tuple[ObjectPlacement, ObjectPlacement]:
    return scene.placement(scene.target), scene.placement(scene.reference)


def _of_task(scene: Scene, table: dict[str, Value], what: str) -> Value:
    if scene.task not in table:
        raise unknown_name(f"task among {what}", scene.task, list(table))
    return table[scene.task]


Change = Callable[[Scene, np.random.Generator], str | None]
_LEVELS: dict[str, Change] = {
    "rephrased": _rephrased,
    "more_specific": _more_specific,
    "less_specific": _less_specific,
    "misspelt": _misspelt,
    "german": _in(GERMAN),
    "spanish": _in(SPANISH),
}
