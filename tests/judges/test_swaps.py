"""Renaming what an instruction asks for, from text alone."""

import numpy as np
import pytest

from reverie.judges.swaps import Vocabulary, from_text, phrases
from reverie.scenes.instructions import PARAPHRASES, TEMPLATES
from reverie.scenes.tasks import BASIC


@pytest.mark.parametrize("template", [t for table in (TEMPLATES, PARAPHRASES) for task in BASIC for t in table[task]])
def test_names_are_found_in_every_template(template: str) -> None:
    sentence = template.format(target="red bar", reference="blue bowl", preposition="in")
    assert [p.words for p in phrases(sentence)] == ["red bar", "blue bowl"]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("put the spoon on the towel", ["spoon", "towel"]),
        ("Pick up a small red block and place it in the drawer", ["small red block", "drawer"]),
        ("wipe", []),
    ],
)
def test_names_in_other_peoples_sentences(sentence: str, names: list[str]) -> None:
    assert [p.words for p in phrases(sentence)] == names


def test_a_swap_changes_one_name_and_only_that() -> None:
    said = [
        "put the red bar in the blue bowl",
        "move the red cube next to the green can",
        "put the blue bar on the red tray",
    ]
    vocabulary, rng = Vocabulary.of(said), np.random.default_rng(0)
    for _ in range(50):
        swapped = from_text(said[0], vocabulary, rng)
        assert swapped is not None
        before, after = ([p.words for p in phrases(s)] for s in (said[0], swapped))
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
        assert swapped.startswith("put the ")


def test_nothing_to_swap() -> None:
    rng = np.random.default_rng(0)
    assert from_text("wipe", Vocabulary.of(["wipe"]), rng) is None
    assert from_text("open the drawer", Vocabulary.of(["open the drawer"]), rng) is None
