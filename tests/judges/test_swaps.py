"""Renaming what an instruction asks for: in every family of the scenes, in other people's sentences, and among what is there."""

import numpy as np
import pytest

from reverie.core import Scene
from reverie.data.episode_info import EpisodeInfo
from reverie.judges.swaps import Phrase, Vocabulary, from_scene, from_text, phrases
from reverie.scenes import instructions
from reverie.scenes.tasks import FAMILIES, TASKS, clauses, draw_scene
from reverie.training.judging import BagConfig, swapped_instructions

SCENES = {task: [draw_scene(task, "train", i) for i in range(40)] for task in TASKS}


def asked(scene: Scene) -> list[str]:
    """Labels of what the scene asks for, in order."""
    return [label for c in clauses(scene.objects, scene.goals) for label in (c.target, c.reference) if label]


def words(sentence: str) -> list[str]:
    return [p.words for p in phrases(sentence)]


@pytest.mark.parametrize("task", TASKS)
def test_names_are_found_in_every_scene_and_paraphrase(task: str) -> None:
    rng = np.random.default_rng(0)
    for scene in SCENES[task]:
        for said in (scene.instruction, instructions.paraphrase(rng, task, *clauses(scene.objects, scene.goals))):
            found = phrases(said)
            assert sorted(p.words for p in found) == sorted(asked(scene)), said
            assert all(said[p.start : p.end] == p.words for p in found)
            assert all(p.slot[0] in FAMILIES for p in found), said


@pytest.mark.parametrize("task", TASKS)
def test_every_template_is_read_in_its_family(task: str) -> None:
    clause = {"reference": "blue bowl", "preposition": "on" if task == "put_on" else "in"}
    known = {"target": "red bar", "first": "close the pink laptop", "second": "stack the red bar on the blue brick", **clause}  # fmt: skip
    for template in (*instructions.TEMPLATES[task], *instructions.PARAPHRASES[task]):
        found = phrases(template.format(**known))
        family = "put_in" if task == "put" else task
        expected = {"a_then_b": ["close_laptop", "stack", "stack"], "close_laptop": [family]}.get(task, [family] * 2)
        assert [p.slot[0] for p in found] == expected, template
        assert [p.clause for p in found] == ([0, 1, 1] if task == "a_then_b" else [0] * len(found))


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("put the spoon on the towel", ["spoon", "towel"]),
        ("Pick up a small red block and place it in the drawer", ["small red block", "drawer"]),
        ("Close the lid of the Pink Laptop", ["Pink Laptop"]),
        ("open the drawer, then put the cup in it", ["drawer", "cup"]),
        ("wipe", []),
    ],
)
def test_names_in_other_peoples_sentences(sentence: str, names: list[str]) -> None:
    assert words(sentence) == names


@pytest.mark.parametrize("task", TASKS)
def test_a_swap_changes_one_name_into_one_of_its_role_and_only_that(task: str) -> None:
    everything = [s.instruction for scenes in SCENES.values() for s in scenes]
    vocabulary, rng = Vocabulary.of(everything), np.random.default_rng(0)
    for scene in SCENES[task]:
        swapped = from_text(scene.instruction, vocabulary, rng)
        assert swapped is not None
        before, after = phrases(scene.instruction), phrases(swapped)
        (changed,) = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a.words != b.words]
        assert [p.slot for p in before] == [p.slot for p in after]
        assert after[changed].words in vocabulary.names[before[changed].slot]
        assert _without(scene.instruction, before[changed]) == _without(swapped, after[changed])


def _without(sentence: str, phrase: Phrase) -> str:
    return sentence[: phrase.start] + sentence[phrase.end :]


def test_a_lid_is_only_ever_another_laptops() -> None:
    vocabulary = Vocabulary.of(s.instruction for scenes in SCENES.values() for s in scenes)
    assert all(name.endswith(" laptop") for name in vocabulary.names["close_laptop", "target"])
    assert not any(name.endswith(" laptop") for name in vocabulary.names["stack", "target"])


@pytest.mark.parametrize("task", TASKS)
def test_in_a_scene_another_thing_of_its_sort_is_named(task: str) -> None:
    """Never both clauses' things in one, and nothing that what was done may have done as well."""
    for scene in SCENES[task]:
        found = from_scene(scene.instruction, scene)
        labels = {o.label for o in scene.objects}
        assert found
        for swapped in found:
            assert swapped != scene.instruction
            assert set(words(swapped)) <= labels
            mine, theirs = phrases(scene.instruction), phrases(swapped)
            (changed,) = [i for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a.words != b.words]
            assert mine[changed].slot != ("move_beside", "reference")
            together = [p.words for p in theirs if p.clause == theirs[changed].clause]
            assert len(set(together)) == len(together)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("swaps", ["text", "scene"])
def test_a_judge_learns_from_swaps_of_every_family(task: str, swaps: str) -> None:
    config = BagConfig(swaps=swaps)  # type: ignore[arg-type]
    vocabulary = Vocabulary.of(s.instruction for s in SCENES[task])
    infos = [EpisodeInfo(s.instruction, 10, 9, True, scene=s) for s in SCENES[task]]
    found = [swapped_instructions(info, info.instruction, vocabulary, config, i) for i, info in enumerate(infos)]
    assert all(found)
    assert all(info.instruction not in others for info, others in zip(infos, found, strict=True))


def test_nothing_to_swap() -> None:
    rng = np.random.default_rng(0)
    assert from_text("wipe", Vocabulary.of(["wipe"]), rng) is None
    assert from_text("open the drawer", Vocabulary.of(["open the drawer"]), rng) is None
    assert from_text("close the pink laptop", Vocabulary.of(["close the pink laptop", "open the lid"]), rng) is None
