"""What the loading benchmark compares: windows that are the same from every form of a data set, and a step that is the trainer's."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reverie.checkpoints import load
from reverie.core import CameraSpec, Episode, Observations, ObservationSpec
from reverie.data.cache import open_cache
from reverie.data.lerobot_reader import open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.policies.vla import VLA
from reverie.training.fakes import ACTION_SPEC, fake_cache
from reverie.training.fit import fit_policy, prepare_data
from tests.training.tiny import recipe

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from loading import passes, summary
from loading_forms import lean, uncompress
from loading_ours import Cached, Places, Written
from pace import paced
from training_step import PARTS, run_steps

SIZE, N_ACTIONS, NAMES = 16, 9, ("x", "y", "opening")


def episode(seed: int) -> Episode:
    """Smooth pictures, so that video keeps them; every other control step shows one."""
    rng = np.random.default_rng(seed)
    steps = np.arange(0, N_ACTIONS + 1, 2)
    ramp = np.linspace(0, 200, SIZE)[:, None, None] + np.zeros((SIZE, SIZE, 3))
    images = np.stack([(ramp + 5 * i + 3 * seed).astype(np.uint8) for i in range(len(steps))])
    states = rng.normal(size=(len(steps), 3)).astype(np.float32)
    return Episode(
        observations=Observations(
            images={"top": images, "side": images[:, ::-1]},
            time_s=steps / 10.0,
            instructions=("go",) * len(steps),
            commanded=states,
            measured=states + 1,
            extras={"force_n": rng.normal(size=(len(steps), 1))},
        ),
        frame_steps=steps,
        actions=rng.normal(size=(N_ACTIONS, 7)).astype(np.float32),
        observation_spec=ObservationSpec(
            tuple(CameraSpec(c, SIZE, SIZE) for c in ("top", "side")), NAMES, NAMES, ("force_n",), frame_every=2
        ),
        action_spec=ACTION_SPEC,
        instruction="go",
        success=True,
        success_time_s=0.3,
        provenance={"source": "expert"},
    )


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """form -> data set of four episodes"""
    root = tmp_path_factory.mktemp("forms")
    whole = open_dataset(write_dataset(root / "whole", [episode(i) for i in range(4)]))
    for images in ("png", "video"):
        write_dataset(root / images, lean(whole), images=images)
    uncompress(root / "png", root / "uncompressed")
    return {p.name: p for p in root.iterdir()}


@pytest.mark.parametrize("form", ["png", "video", "uncompressed"])
def test_windows_from_files_are_those_from_the_cache(forms, form) -> None:
    cached = Cached(open_cache(forms[form]), horizon=4, floats=form != "video")
    chosen = np.arange(len(cached.rows))[::-1]
    wanted = cached.batch(chosen)
    found = Written(forms[form], 4, form != "video").batch(Places.of(cached.cache, cached.rows, chosen))
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert value.dtype == found[name].dtype
        assert torch.equal(value, found[name]), name
    assert wanted["observation.images.top"].shape == (20, 3, SIZE, SIZE)
    assert wanted["action"].shape == (20, 4, 7)


def test_uncompressed_pictures_are_the_same_pixels(forms) -> None:
    png, raw = (next(iter(open_dataset(forms[f]))) for f in ("png", "uncompressed"))
    np.testing.assert_array_equal(png.observations.images["top"], raw.observations.images["top"])
    assert not png.observations.extras


def test_rows_of_a_data_set_count_the_last_one_of_every_episode(forms) -> None:
    cached = Cached(open_cache(forms["png"]), 4, True)
    places = Places.of(cached.cache, cached.rows, np.arange(len(cached.rows)))
    assert places.rows.tolist() == [10 * e + s for e in range(4) for s in (0, 2, 4, 6, 8)]


def test_only_what_comes_after_warming_up_is_timed() -> None:
    def batches():
        for number in range(6):
            time.sleep(0.5 if number == 0 else 0.01)
            yield number

    found = paced(batches(), 8, warm=1, seconds=10.0)
    assert 80 < found["clock"] < 801 < found["processor"]  # it sleeps: hardly any work


def test_ratios_are_taken_within_rounds() -> None:
    """A machine that slows down for a whole round does not change them."""
    speeds = {"cached": 100.0, "written": 20.0, "lerobot": 10.0, "lerobot_workers": 5.0}
    rounds = [{k: {"clock": v * slow, "processor": 2 * v} for k, v in speeds.items()} for slow in (1.0, 0.2, 0.7)]
    found = summary(rounds)
    assert found["ratio"]["written"]["value"] == pytest.approx(2)
    assert found["ratio"]["cached_workers"]["smallest"] == pytest.approx(20)
    assert found["ratio"]["cached_processor"]["value"] == pytest.approx(10)
    assert found["speed"]["cached"]["value"] == pytest.approx(70)
    assert "written" not in summary([{k: v for k, v in r.items() if k != "written"} for r in rounds])["ratio"]


def test_passes_count_what_must_be_built_first() -> None:
    speeds = {"cached": {"value": 1000.0}, "lerobot": {"value": 100.0}}
    cost = {"ours": {"time": {"value": 4.0}}, "lerobot": {"time": {"value": 1.0}}}
    found = passes(1000, speeds, cost)
    assert found["passes_1"]["value"] == pytest.approx(11 / 5)
    assert found["passes_10"]["value"] == pytest.approx(101 / 14)


def test_the_timed_step_is_the_trainers(tmp_path) -> None:
    """The same averaged weights after the same steps."""
    torch.set_num_threads(1)
    cache, wanted = fake_cache(8), recipe(48)
    wanted = replace(wanted, trainer=replace(wanted.trainer, state_every=0))
    fit_policy(cache, wanted, tmp_path / "out", quiet=True)
    prepared = prepare_data(cache, wanted.cloning, wanted.trainer, wanted.model)
    torch.manual_seed(wanted.trainer.seed)
    model = VLA(wanted.model, prepared.shapes)
    laps, average = run_steps(model, prepared.source, wanted.trainer, "float32", 6)
    for name, value in load(tmp_path / "out").weights.items():
        torch.testing.assert_close(average.weights[name].float(), value.float(), rtol=1e-6, atol=1e-7)
    assert all(len(laps.seconds[p]) == 6 and min(laps.seconds[p]) > 0 for p in PARTS)
