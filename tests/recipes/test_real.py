"""The recipe for real data, on a slice of the Bridge sample with a handful of training samples."""

import json
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from reverie.cli.main import main
from reverie.core import ReverieError
from reverie.core.fakes import tiny_episode
from reverie.data.importers import IMPORTERS
from reverie.data.rlds import read_rlds
from reverie.recipes import real
from reverie.recipes.preparation import angle_middles, last_of_each_instruction, on_branch

TAKES = 8  # two instructions are seen more than once: one take of each is held out
MINUTES = 0.001


@pytest.fixture(scope="module")
def bridge():
    shared = Path(os.environ.get("REVERIE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no real samples at {shared / 'data'} (set REVERIE_SHARED)")
    return shared / "data/bridge_rlds/1.0.0"


@pytest.fixture(scope="module")
def run(bridge, tmp_path_factory):
    """The verb, once."""
    folder = tmp_path_factory.mktemp("real") / "bridge"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(IMPORTERS, "rlds", lambda source: islice(read_rlds(source), TAKES))
        patch.setitem(real.RECIPES, "bridge", replace(real.RECIPES["bridge"], size=(32, 32)))
        arguments = [
            "real",
            "--data",
            "bridge",
            "--source",
            str(bridge),
            "--out",
            str(folder),
            "--minutes",
            str(MINUTES),
        ]
        assert main(arguments) == 0
    return folder


def test_a_report_with_curves_films_and_no_invented_success(run):
    page = (run / "report.html").read_text()
    for wanted in (
        "PSNR, moving pixels, from frames anywhere in a take",
        "SSIM, all pixels, from the first frame",
        "Action error of the policy, rotation",
        "mean action of the training takes",
        "Success was not measured",
        "cameras are not calibrated",
    ):
        assert wanted in page, wanted
    verdicts = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    assert len(verdicts) == 4  # two takes, recorded and dreamt
    assert {v["verdict"]["success"] for v in verdicts} == {None}


def test_every_number_has_its_n(run):
    results = json.loads((run / "real.json").read_text())
    gain = results["windows"]["psnr_moving"]["frame_1"]["gain"]
    assert (gain["n"], gain["low"], gain["high"]) == (2, None, None)  # two takes: no interval
    assert "expected at least 3" in gain["reason"]
    assert results["n_windows"] == 6
    for group in ("normalised", "position", "rotation", "gripper"):
        for predictor in ("policy", "mean_action", "hold_still"):
            assert results["actions"][predictor]["overall"][group]["n"] == 2


def test_the_video_world_has_no_pose_map_and_the_policy_no_grounding(run):
    world = json.loads((run / "world/checkpoint.json").read_text())
    assert (world["shapes"]["robot"], world["config"]["calibrated"]) == ("generic", False)
    measured = json.loads((run / "vla/checkpoint.json").read_text())["receipt"]["measured"]
    assert "held_out/actions" in measured
    assert not [name for name in measured if "maps" in name or "positions" in name]


def test_again_trains_nothing_and_finds_the_same(run, bridge, monkeypatch):
    before = (run / "real.json").read_text()

    def no_training(*_, **__):
        raise AssertionError("a finished training was begun again")

    monkeypatch.setattr(real, "fit_world", no_training)
    monkeypatch.setattr(real, "fit_policy", no_training)
    recipe = replace(real.RECIPES["bridge"], size=(32, 32))
    real.make(recipe, bridge, run, MINUTES, say=lambda text: None)
    assert (run / "real.json").read_text() == before


def test_other_minutes_are_another_training(run, bridge):
    recipe = replace(real.RECIPES["bridge"], size=(32, 32))
    with pytest.raises(ReverieError, match="training with other settings: samples: was 8, is"):
        real.make(recipe, bridge, run, 1.0, say=lambda text: None)


def test_an_unknown_data_set(capsys):
    assert main(["real", "--data", "bridg", "--source", "x", "--out", "y"]) == 2
    assert "did you mean 'bridge'" in capsys.readouterr().err


def test_pieces_are_takes_of_their_own():
    take = tiny_episode(8, success=True)
    pieces = real.pieces_of(take, length=3, every=2)
    assert [p.provenance["frame"] for p in pieces] == [0, 2, 4]
    for piece in pieces:
        begin = piece.provenance["frame"]
        assert (piece.n_frames, piece.n_steps, piece.success) == (4, 6, None)
        np.testing.assert_array_equal(piece.frame_steps, [0, 2, 4, 6])
        np.testing.assert_array_equal(piece.actions, take.actions[2 * begin : 2 * begin + 6])
        np.testing.assert_array_equal(piece.observations.images["top"][0], take.observations.images["top"][begin])
    assert not real.pieces_of(tiny_episode(3), length=3, every=1)


def test_held_out_takes_have_a_sibling_in_training():
    takes = [replace(tiny_episode(), instruction=name) for name in "aaaaabbc"]
    assert last_of_each_instruction(takes) == [False, False, False, True, True, False, True, False]


def test_angles_are_put_on_one_branch():
    take = tiny_episode(2)
    spec = replace(take.action_spec, names=("roll", "dy", "gripper"), units=("rad", "m", "1"), modes=("absolute", "delta", "absolute"))  # fmt: skip
    take = replace(take, action_spec=spec, actions=np.array([[3.1, 5.0, 1], [-3.1, -5.0, 0]], np.float32))
    middles = angle_middles([take])
    turned = on_branch(take, middles).actions
    assert np.ptp(turned[:, 0]) == pytest.approx(2 * np.pi - 6.2, abs=1e-5)
    np.testing.assert_array_equal(turned[:, 1:], take.actions[:, 1:])
