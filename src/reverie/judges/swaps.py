"""Counterfactual instructions: what was done is a success for what was asked, and a failure for something else.

From the text alone, which is all that recorded data has. A sentence by a template of the scenes (`scenes.instructions`, all
families) names things where the template does; in any other, names are the words after an article. Other instructions name
other things in the same role. What stands in the scene is known to `from_scene` only.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from reverie.core import Scene
from reverie.scenes.assets import CONTAINERS, HINGED
from reverie.scenes.instructions import PARAPHRASES, TEMPLATES
from reverie.scenes.tasks import FAMILIES, FAMILY_OF

_NOT_OF_A_NAME = "in on into onto inside next to beside near close over from of and down up by with under at then it is belongs right there"
_PHRASE = re.compile(
    rf"\b(?:the|a|an)\s+((?:(?!(?:{'|'.join(_NOT_OF_A_NAME.split())})\b)[a-z]+(?:\s+|\b)){{1,3}})", re.I
)
_NAME = "[a-z]+(?: [a-z]+){0,3}"
_IN_ORDER = "a_then_b"
Slot = tuple[str, str]
"""Family and role: what else is named there may be named here."""


class Phrase(NamedTuple):
    """A thing's name, where it stands in the instruction, as what, and in which of the instruction's clauses."""

    words: str
    start: int
    end: int
    slot: Slot
    clause: int = 0


def phrases(instruction: str) -> list[Phrase]:
    """In order: "put the red bar in the blue bowl" -> "red bar" and "blue bowl"."""
    return sorted(_by_template(instruction) or _by_article(instruction), key=lambda p: p.start)


def _by_template(instruction: str) -> list[Phrase]:
    """Empty where no template of any family reads so."""
    clauses = [(0, instruction)]
    for pattern in _patterns(_IN_ORDER):
        match = pattern.fullmatch(instruction)
        if match and all(_clause(match[part]) for part in ("first", "second")):
            clauses = [(match.start(part), match[part]) for part in ("first", "second")]
            break
    return [
        p._replace(start=p.start + offset, end=p.end + offset, clause=number)
        for number, (offset, text) in enumerate(clauses)
        for p in _clause(text)
    ]


def _clause(text: str) -> list[Phrase]:
    """Of one thing that is asked."""
    for family in FAMILIES:
        for pattern in _patterns(family) if family != _IN_ORDER else ():
            if match := pattern.fullmatch(text):
                said = match.groupdict()
                slot = FAMILY_OF.get(said.pop("preposition", "").lower(), family)
                return [Phrase(match[role], *match.span(role), (slot, role)) for role in said]
    return []


@cache
def _patterns(family: str) -> tuple[re.Pattern[str], ...]:
    """What the family's templates read like."""
    prepositions = "|".join(sorted({kind.preposition for kind in CONTAINERS.values()}))
    holes = {"target": _NAME, "reference": _NAME, "preposition": prepositions, "first": ".+", "second": ".+"}
    found = []
    for template in (*TEMPLATES[family], *PARAPHRASES[family]):
        text = re.escape(template)
        for name, fits in holes.items():
            text = text.replace(rf"\{{{name}\}}", f"(?P<{name}>{fits})")
        found.append(re.compile(text, re.I))
    return tuple(found)


def _by_article(instruction: str) -> list[Phrase]:
    """Slots are places: first named, second named, ..."""
    found = [(m.group(1).rstrip(), m.start(1)) for m in _PHRASE.finditer(instruction)]
    return [Phrase(words, start, start + len(words), ("", str(i))) for i, (words, start) in enumerate(found)]


@dataclass(frozen=True)
class Vocabulary:
    """Names by their slot, each once, in order of the alphabet."""

    names: Mapping[Slot, tuple[str, ...]]

    @classmethod
    def of(cls, instructions: Iterable[str]) -> "Vocabulary":
        slots: dict[Slot, set[str]] = defaultdict(set)
        for instruction in set(instructions):
            for phrase in phrases(instruction):
                slots[phrase.slot].add(phrase.words.lower())
        return cls({slot: tuple(sorted(names)) for slot, names in sorted(slots.items())})


def replace_phrase(instruction: str, phrase: Phrase, words: str) -> str:
    return instruction[: phrase.start] + words + instruction[phrase.end :]


def from_text(instruction: str, vocabulary: Vocabulary, rng: np.random.Generator) -> str | None:
    """One thing renamed: half of the time by a name that shares a word with it ("red bar" to "red cube"), where there is
    one. None where the instruction names nothing, or nothing else is ever named in its place."""
    named = phrases(instruction)
    if not named:
        return None
    phrase = named[int(rng.integers(len(named)))]
    taken = {p.words.lower() for p in named}
    others = [n for n in vocabulary.names.get(phrase.slot, ()) if n not in taken]
    alike = [n for n in others if set(n.split()) & set(phrase.words.lower().split())]
    options = alike if alike and rng.random() < 0.5 else others
    return replace_phrase(instruction, phrase, str(rng.choice(options))) if options else None


def from_scene(instruction: str, scene: Scene) -> list[str]:
    """One thing renamed by another of its sort (small, container, hinged) in the scene, every way there is. Not where a thing
    was brought beside: it may well lie beside another one too. Empty where two things have one label."""
    sorts = {o.label.lower(): (o.container, o.kind in HINGED) for o in scene.objects}
    return list(_renamed(instruction, sorts)) if len(sorts) == len(scene.objects) else []


def _renamed(instruction: str, sorts: Mapping[str, tuple[bool, bool]]) -> Iterator[str]:
    named = phrases(instruction)
    for phrase in named:
        together = {p.words.lower() for p in named if p.clause == phrase.clause}
        if phrase.words.lower() in sorts and phrase.slot != ("move_beside", "reference"):
            others = [n for n, sort in sorts.items() if sort == sorts[phrase.words.lower()] and n not in together]
            yield from (replace_phrase(instruction, phrase, name) for name in others)
