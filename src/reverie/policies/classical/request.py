"""What an instruction asks for: colour and kind of the thing to move and of where it goes, and how the two relate.

A grammar of noun phrases ("colour kind") and prepositions, with a few synonyms. The phrase after a preposition is the
reference, the other one the target. What it cannot read it returns as None: nobody should act on a guess.
"""

import re
from dataclasses import dataclass
from typing import Literal

from reverie.scenes.assets import COLORS, CONTAINERS, OBJECTS

_COLORS = {c: c for c in COLORS} | {"violet": "purple", "turquoise": "cyan"}
_KINDS = {k: k for k in (*OBJECTS, *CONTAINERS)} | {
    "block": "cube",
    "stick": "bar",
    "rod": "bar",
    "tin": "can",
    "sphere": "ball",
    "dish": "plate",
    "bin": "box",
    "crate": "box",
}
_BESIDE = frozenset(("next", "beside", "by", "near", "close", "alongside"))
_INSIDE = frozenset(("in", "into", "inside", "on", "onto", "upon", "within"))
_TOWARDS = frozenset(("to", "over", "towards"))
_PREPOSITIONS = _BESIDE | _INSIDE | _TOWARDS | {"from", "off"}
_FILLERS = frozenset(("the", "a", "an", "to", "of", "right", "down", "top", "that", "this"))
Relation = Literal["inside", "beside"]


@dataclass(frozen=True)
class Thing:
    color: str
    kind: str


@dataclass(frozen=True)
class Request:
    target: Thing
    reference: Thing
    relation: Relation


def understand(instruction: str) -> Request | None:
    """The request, or None where words are missing or unknown, or what is asked is neither "inside" nor "beside"."""
    phrases = _phrases(re.findall(r"[a-z]+", instruction.lower()))
    targets = [thing for thing, word in phrases if word is None and thing.kind in OBJECTS]
    goals = [(thing, _relation(word, thing.kind)) for thing, word in phrases if word is not None]
    goals = [(thing, relation) for thing, relation in goals if relation is not None]
    if not targets or not goals or goals[-1][0] == targets[0]:
        return None
    reference, relation = goals[-1]
    assert relation is not None
    return Request(targets[0], reference, relation)


def _relation(word: str, kind: str) -> Relation | None:
    """Into containers and beside anything; on top of an object is another task."""
    if word in _BESIDE:
        return "beside"
    if kind in CONTAINERS:
        return "inside" if word in _INSIDE | _TOWARDS else None
    return "beside" if word in _TOWARDS else None


def _phrases(words: list[str]) -> list[tuple[Thing, str | None]]:
    """Every "colour ... kind" with the preposition right before it, if any."""
    found: list[tuple[Thing, str | None]] = []
    color, preposition = "", None
    for word in words:
        if word in _KINDS:
            if color:
                found.append((Thing(color, _KINDS[word]), preposition))
            color, preposition = "", None
        elif word in _COLORS:
            color = _COLORS[word]
        elif word in _PREPOSITIONS and not (word in _FILLERS and preposition):
            color, preposition = "", word
        elif word not in _FILLERS and not color:
            preposition = None  # another word in between: the preposition did not belong to this phrase
    return found
