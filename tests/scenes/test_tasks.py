"""Scenes: never shared between splits, always with three candidates and two containers, named without ambiguity."""

import numpy as np
import pytest

from reverie.core import ReverieError, Scene
from reverie.embodiments import panda
from reverie.embodiments.cameras import project
from reverie.scenes.assets import HINGED
from reverie.scenes.instructions import PARAPHRASES, TEMPLATES
from reverie.scenes.tasks import BASIC, FAMILIES, SPLITS, TASKS, draw_scene, family_of


@pytest.mark.parametrize("task", TASKS)
def test_splits_never_share_a_scene(task: str) -> None:
    hashes = [draw_scene(task, split, i).hash for split in SPLITS for i in range(100)]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("task", TASKS)
def test_a_scene_is_the_same_every_time_and_survives_json(task: str) -> None:
    scene = draw_scene(task, "test", 3)
    assert scene == draw_scene(task, "test", 3)
    assert Scene.from_dict(scene.to_dict()) == scene


@pytest.mark.parametrize("task", TASKS)
def test_instructions_are_needed_and_unambiguous(task: str) -> None:
    for i in range(50):
        scene = draw_scene(task, "validation", i)
        labels = [o.label for o in scene.objects]
        assert len(set(labels)) == 5
        assert sum(o.container or o.kind in HINGED for o in scene.objects) == 2
        asked = {name for goal in scene.goals for name in (goal.target, goal.reference) if name}
        assert all(scene.placement(name).label in scene.instruction for name in asked)


def test_paraphrases_are_not_training_templates() -> None:
    for task in TEMPLATES:
        assert not set(TEMPLATES[task]) & set(PARAPHRASES[task])


def test_four_centimetres_span_at_least_five_pixels_at_the_middle_of_the_table() -> None:
    state = panda.start([[0.0] * 6])
    spot = np.array([0.465, 0.0, 0.02])
    for camera, matrix in zip(panda.CAMERAS, panda.camera_matrices(state)[0].astype(np.float64), strict=True):
        if camera.mount == "base":
            corners = spot + 0.02 * np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
            pixels, _ = project(matrix, corners)
            assert (np.ptp(pixels, axis=0) >= 4.99).any(), (camera.name, np.ptp(pixels, axis=0))


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ReverieError, match="did you mean 'move_beside'"):
        draw_scene("move_besides", "test", 0)
    with pytest.raises(ReverieError, match="unknown split"):
        draw_scene("put", "tset", 0)


def test_what_was_drawn_before_there_were_other_families_is_as_it_was() -> None:
    """Ids and hashes of data sets and runs that exist."""
    hashes = [draw_scene(task, split, 0).hash for task in BASIC for split in SPLITS]
    assert hashes == [
        "4d234b08c1c09384",
        "ab14832c80a6e0e4",
        "5e003e0101ad867f",
        "be685c1bc5daba97",
        "1132ef343f141f2b",
        "756cc74ac72e48e5",
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_told_from_what_is_asked(family: str) -> None:
    assert {family_of(draw_scene(family, "validation", i)) for i in range(20)} == {family}


def test_put_is_both_of_its_families() -> None:
    assert {family_of(draw_scene("put", "validation", i)) for i in range(20)} == {"put_in", "put_on"}
