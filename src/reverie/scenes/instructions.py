"""Instruction templates with paraphrases. Training draws from `TEMPLATES`; `PARAPHRASES` are held out for tests of language."""

from typing import NamedTuple

import numpy as np

_PUT_IN = (
    "put the {target} {preposition} the {reference}",
    "place the {target} {preposition} the {reference}",
    "pick up the {target} and put it {preposition} the {reference}",
    "move the {target} into the {reference}",
    "set the {target} down {preposition} the {reference}",
)
TEMPLATES: dict[str, tuple[str, ...]] = {
    "put": _PUT_IN,
    "put_in": _PUT_IN,
    "put_on": (
        "put the {target} {preposition} the {reference}",
        "place the {target} {preposition} the {reference}",
        "pick up the {target} and put it {preposition} the {reference}",
        "move the {target} onto the {reference}",
        "set the {target} down {preposition} the {reference}",
    ),
    "move_beside": (
        "move the {target} next to the {reference}",
        "put the {target} beside the {reference}",
        "place the {target} close to the {reference}",
        "bring the {target} over to the {reference}",
        "set the {target} down beside the {reference}",
    ),
    "stack": (
        "stack the {target} on the {reference}",
        "put the {target} on top of the {reference}",
        "place the {target} on top of the {reference}",
        "pick up the {target} and stack it on the {reference}",
        "set the {target} down on top of the {reference}",
    ),
    "close_laptop": (
        "close the {target}",
        "shut the {target}",
        "close the lid of the {target}",
        "push the lid of the {target} shut",
        "fold the {target} shut",
    ),
    "a_then_b": (
        "{first}, then {second}",
        "{first} and then {second}",
        "first {first}, then {second}",
        "{first}, and after that {second}",
        "{first}; next, {second}",
    ),
}
_PUT_PARAPHRASES = (
    "the {target} belongs {preposition} the {reference}, put it there",
    "could you drop the {target} {preposition} the {reference}?",
)
PARAPHRASES: dict[str, tuple[str, ...]] = {
    "put": _PUT_PARAPHRASES,
    "put_in": _PUT_PARAPHRASES,
    "put_on": _PUT_PARAPHRASES,
    "move_beside": (
        "i want the {target} right by the {reference}",
        "could you lay the {target} near the {reference}?",
    ),
    "stack": (
        "the {target} should end up sitting on the {reference}",
        "could you pile the {target} onto the {reference}?",
    ),
    "close_laptop": (
        "nobody needs the {target} any more, fold it down",
        "could you flip the screen of the {target} down?",
    ),
    "a_then_b": (
        "two jobs, one after the other: {first}; {second}",
        "once you have done this: {first}, do that: {second}",
    ),
}


class Clause(NamedTuple):
    """One thing that is asked: its family and the labels of its things ("red brick"), "" where it has no reference. The
    word between them is a container's preposition."""

    task: str
    target: str
    reference: str
    preposition: str


def write(task: str, template: str, target: str, reference: str, preposition: str) -> str:
    """One instruction by a template of `TEMPLATES` or `PARAPHRASES`; names are labels ("red brick")."""
    return template.format(target=target, reference=reference, preposition=preposition)


def draw(rng: np.random.Generator, task: str, *asked: Clause) -> str:
    """One training instruction for `task`."""
    return _drawn(rng, TEMPLATES[task], asked)


def paraphrase(rng: np.random.Generator, task: str, *asked: Clause) -> str:
    """The same in words that no training uses; of two clauses, what joins them."""
    return _drawn(rng, PARAPHRASES[task], asked)


def _drawn(rng: np.random.Generator, options: tuple[str, ...], asked: tuple[Clause, ...]) -> str:
    template = options[rng.integers(len(options))]
    if len(asked) == 1:
        return write(asked[0].task, template, *asked[0][1:])
    first, second = (draw(rng, clause.task, clause) for clause in asked)
    return template.format(first=first, second=second)
