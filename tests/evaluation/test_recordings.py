"""Recorded trials in `evaluate`: scenes, truth, and a script that repeats them."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.core.contracts import check_world
from reverie.core.fakes import tiny_episode
from reverie.data import open_cache, write_dataset
from reverie.data.recorded import RECORDED_ACTIONS, RecordedWorld, recorded_scenes
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.resolve import load_scenes, load_world
from reverie.evaluation.storage import read_actions
from reverie.evaluation.summary import summarise
from reverie.report import write_report


def take(name, n_frames, success, split):
    """A take of a robot of which nothing but pictures, actions and perhaps a label is known."""
    episode = tiny_episode(n_frames, success)
    spec = replace(episode.observation_spec, extras=())
    actions = np.random.default_rng(n_frames).uniform(-0.1, 0.1, episode.actions.shape).astype(np.float32)
    return replace(
        episode,
        actions=actions,
        observations=replace(episode.observations, extras={}),
        observation_spec=spec,
        success_time_s=None,
        scene=None,
        provenance={"source": "robot", "source_id": name, "split": split},
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("takes") / "data"
    labels = [("good", 5, True), ("bad", 4, False), ("unlabelled", 5, None)]
    write_dataset(folder, [*(take(*t, "val") for t in labels), take("seen", 4, True, "train")], "png", "toy")
    return folder


def request(root, **changes):
    recorded = f"recorded:{root}"
    fields = {"policies": (), "worlds": (recorded,), "scenes": (f"{recorded},val",), "judges": ("label",)}
    return Request(**{**fields, "truth": (recorded, "label"), "n_steps": 8, **changes})


def test_the_recorded_world_keeps_the_contract(root):
    cache = open_cache(root)
    check_world(RecordedWorld(cache), recorded_scenes(cache, [0, 2]), n_steps=8)


def test_the_recorded_actions_are_shown_and_repeated(root, tmp_path):
    evaluate(make_plan(request(root)), tmp_path)
    cache = open_cache(root)
    done = read_actions(tmp_path, "recorded/logged/00000")
    for e in range(3):
        np.testing.assert_array_equal(done[e], cache.actions[slice(*cache.action_offsets[e : e + 2])])


def test_commands_past_the_end_repeat_the_last_one(root):
    cache = open_cache(root)
    world = RecordedWorld(cache)
    world.reset(recorded_scenes(cache, [1]), [0])
    shown = world.step(np.zeros((1, 8, 3), np.float32)).observations.extras[RECORDED_ACTIONS][0, -1]
    np.testing.assert_array_equal(shown, np.repeat(cache.actions[slice(*cache.action_offsets[1:3])][-1:], 2, axis=0))


def test_a_missing_label_is_absent_and_no_failure(root, tmp_path):
    evaluate(make_plan(request(root)), tmp_path)
    (rate,) = summarise(tmp_path).rates
    assert (rate.success.value, rate.success.n) == (0.5, 2)
    assert rate.left_out == {"not_scored": 1}
    assert "left out: 1 not scored" in write_report(tmp_path).read_text()


def test_without_any_label_nothing_is_ranked(root, tmp_path):
    """The truth is there, but it scored nothing."""
    data = tmp_path / "data"
    write_dataset(data, [take(n, 4, None, "val") for n in "ab"], "png", "toy")
    evaluate(make_plan(request(data)), tmp_path / "run")
    page = write_report(tmp_path / "run").read_text()
    assert "Success was not measured" in page


def test_scenes_of_one_split(root):
    assert [s.recorded for s in load_scenes(f"recorded:{root},train")] == ["seen"]
    assert len(load_scenes(f"recorded:{root}")) == 4
    with pytest.raises(ReverieError, match=r"no episode .* has split 'test'; found \['train', 'val'\]"):
        load_scenes(f"recorded:{root},test")
    with pytest.raises(ReverieError, match="expected recorded:DATA"):
        load_world("recorded:")
