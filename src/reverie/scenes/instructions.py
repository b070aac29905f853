"""Instruction templates with paraphrases. Training draws from `TEMPLATES`; `PARAPHRASES` are held out for tests of language."""

import numpy as np

TEMPLATES: dict[str, tuple[str, ...]] = {
    "put": (
        "put the {target} {preposition} the {reference}",
        "place the {target} {preposition} the {reference}",
        "pick up the {target} and put it {preposition} the {reference}",
        "move the {target} into the {reference}",
        "set the {target} down {preposition} the {reference}",
    ),
    "move_beside": (
        "move the {target} next to the {reference}",
        "put the {target} beside the {reference}",
        "place the {target} close to the {reference}",
        "bring the {target} over to the {reference}",
        "set the {target} down beside the {reference}",
    ),
}
PARAPHRASES: dict[str, tuple[str, ...]] = {
    "put": (
        "the {target} belongs {preposition} the {reference}, put it there",
        "could you drop the {target} {preposition} the {reference}?",
    ),
    "move_beside": (
        "i want the {target} right by the {reference}",
        "could you lay the {target} near the {reference}?",
    ),
}


def write(task: str, template: str, target: str, reference: str, preposition: str) -> str:
    """One instruction by a template of `TEMPLATES` or `PARAPHRASES`; names are labels ("red brick")."""
    return template.format(target=target, reference=reference, preposition=preposition)


def draw(rng: np.random.Generator, task: str, target: str, reference: str, preposition: str) -> str:
    """One training instruction for `task`."""
    options = TEMPLATES[task]
    return write(task, options[rng.integers(len(options))], target, reference, preposition)
