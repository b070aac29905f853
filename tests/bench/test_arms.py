"""What the ablations compare: trained and tried on a handful of episodes, and what is measured of a path."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reverie.collection import CollectConfig, collect
from reverie.scenes.tasks import draw_scene
from tests.training.tiny import recipe

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import ablations
import arms as in_arms
import grounded
import imitation
from arms import HZ, Arm, attempts, commanded_path, jerk, of_training, prepare


def test_arms_are_trained_once_and_tried_in_the_same_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_arms, "N_STEPS", 12)
    data = collect(CollectConfig(4, tasks=("put",), depth=False), tmp_path / "data")
    how = replace(recipe(16), cloning=replace(recipe(16).cloning, sources=()))
    four, one = Arm("four", "tiny", how, (data,)), Arm("one by one", "tiny", how, (data,), executed=1)
    assert list(prepare([four, one], tmp_path / "out", 1)) == ["tiny"]
    scenes = [draw_scene("put", "test", i) for i in range(2)]
    first = attempts([four, one], scenes, tmp_path / "out", 1)
    assert [a.scene for a in first["four"]] == [s.id for s in scenes]
    assert first["four"] != first["one by one"]
    assert attempts([four, one], scenes, tmp_path / "out", 1) == first
    assert of_training(tmp_path / "out", four)["samples"] == 16


def test_a_path_and_its_jerk() -> None:
    seconds = np.arange(30) / HZ
    moved = np.diff(seconds**3 / 6, prepend=0.0)[1:]  # the third derivative is 1
    actions = np.zeros((29, 7), np.float32)
    actions[:, 0] = moved
    path = commanded_path(actions, np.array([0.4, 0.0, 0.2]))
    assert path.shape == (30, 3)
    assert path[-1, 0] == pytest.approx(0.4 + seconds[-1] ** 3 / 6, abs=1e-5)
    assert jerk(path) == pytest.approx(1.0, rel=1e-2)
    aside = np.array([0.0, 0.03, 0.0])
    off = imitation.off_path(path + aside, path)
    np.testing.assert_allclose(off, 0.03)


def test_arms_differ_in_what_they_say() -> None:
    questions = ablations.arms_of(ablations.Options())
    by_training: dict[str, Arm] = {}
    for arm in (a for group in questions.values() for a in group):
        same = by_training.setdefault(arm.trained, arm)
        assert (same.recipe, same.data) == (arm.recipe, arm.data)
    assert len(by_training) == 10
    assert questions["recovery"][1].recipe.cloning.intended is False
    arms = grounded.arms_of(grounded.Options())
    assert len(arms) == 10
    assert [n for n, a in arms.items() if a.recipe.freeze] == ["bc pretrained", "act pretrained", "vla pretrained"]
