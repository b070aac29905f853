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
_BESIDE = {"next", "beside", "by", "near", "close", "alongside", "over"}
_INSIDE = {"in", "into", "inside", "on", "onto", "upon", "within"}
_FROM = {"from", "off"}
_FILLERS = {"the", "a", "an", "to", "of", "right", "down", "top", "that", "this"}


@dataclass(frozen=True)
class Thing:
    color: str
    kind: str


@dataclass(frozen=True)
class Request:
    target: Thing
    reference: Thing
    relation: Literal["inside", "beside"]


def understand(instruction: str) -> Request | None:
    """The request, or None where words are missing or unknown, or what is asked is not "inside" or "beside"."""
    phrases = _phrases(re.findall(r"[a-z]+", instruction.lower()))
    targets = [thing for thing, word in phrases if word is None and thing.kind in OBJECTS]
    references = [(thing, word) for thing, word in phrases if word in _BESIDE | _INSIDE]
    if not targets or not references:
        return None
    reference, word = references[-1]
    if word in _INSIDE - {"on"} and reference.kind in OBJECTS or reference == targets[0]:
        return None
    beside = reference.kind in OBJECTS or word in _BESIDE - {"over"}
    if reference.kind in OBJECTS and word == "on":
        return None
    return Request(targets[0], reference, "beside" if beside else "inside")


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
        elif word in _BESIDE | _INSIDE | _FROM:
            preposition = word
        elif word not in _FILLERS and not color:
            preposition = None  # another word in between: the preposition belonged to it
    return found
