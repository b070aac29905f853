"""Scenes: never shared between splits, always with three candidates and two containers, named without ambiguity."""

import numpy as np
import pytest

from reverie.core import ReverieError, Scene
from reverie.embodiments import panda
from reverie.embodiments.cameras import project
from reverie.scenes.instructions import PARAPHRASES, TEMPLATES
from reverie.scenes.tasks import SPLITS, TASKS, draw_scene


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
        assert sum(o.container for o in scene.objects) == 2
        assert scene.placement(scene.target).label in scene.instruction
        assert scene.placement(scene.reference).label in scene.instruction


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
