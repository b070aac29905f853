"""Counterfactual instructions: what was done is a success for what was asked, and a failure for something else.

From the text alone, which is all that recorded data has: the things that an instruction names are the words after an
article, and other instructions name other things. What stands in the scene is not known here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_NOT_OF_A_NAME = "in on into onto inside next to beside near close over from of and down up by with under at then it is belongs right there"
_PHRASE = re.compile(
    rf"\b(?:the|a|an)\s+((?:(?!(?:{'|'.join(_NOT_OF_A_NAME.split())})\b)[a-z]+(?:\s+|\b)){{1,3}})", re.I
)


class Phrase(NamedTuple):
    """A thing's name and where it stands in the instruction."""

    words: str
    start: int
    end: int


def phrases(instruction: str) -> list[Phrase]:
    """ "put the red bar in the blue bowl" -> "red bar" and "blue bowl"."""
    found = [(m.group(1).rstrip(), m.start(1)) for m in _PHRASE.finditer(instruction)]
    return [Phrase(words, start, start + len(words)) for words, start in found]


@dataclass(frozen=True)
class Vocabulary:
    """Names by their place in an instruction (first named, second named, ...), each once, in order of the alphabet."""

    names: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, instructions: Iterable[str]) -> "Vocabulary":
        slots: list[set[str]] = []
        for instruction in set(instructions):
            for i, phrase in enumerate(phrases(instruction)):
                slots += [set()] * (i + 1 - len(slots))
                slots[i] = slots[i] | {phrase.words.lower()}
        return cls(tuple(tuple(sorted(s)) for s in slots))


def replace_phrase(instruction: str, phrase: Phrase, words: str) -> str:
    return instruction[: phrase.start] + words + instruction[phrase.end :]


def from_text(instruction: str, vocabulary: Vocabulary, rng: np.random.Generator) -> str | None:
    """One thing renamed: half of the time by a name that shares a word with it ("red bar" to "red cube"), where there is
    one. None where the instruction names nothing, or nothing else is ever named in its place."""
    named = phrases(instruction)
    if not named:
        return None
    slot = int(rng.integers(len(named)))
    taken = {p.words.lower() for p in named}
    others = [n for n in (vocabulary.names[slot] if slot < len(vocabulary.names) else ()) if n not in taken]
    alike = [n for n in others if set(n.split()) & set(named[slot].words.lower().split())]
    options = alike if alike and rng.random() < 0.5 else others
    return replace_phrase(instruction, named[slot], str(rng.choice(options))) if options else None
