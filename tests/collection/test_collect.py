"""Collection: what is written, and that a kill at any moment costs nothing but time."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reverie.collection import CollectConfig, collect
from reverie.collection.behaviours import MIXES, pick
from reverie.core import ReverieError
from reverie.data import open_dataset
from reverie.data.staging import staging_folder

SMALL = CollectConfig(episodes=6, mix="mixed", seconds=1.0)


def _assert_same(left: Path, right: Path) -> None:
    a, b = open_dataset(left), open_dataset(right)
    assert len(a) == len(b)
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one.actions, two.actions)
        assert one.scene == two.scene
        assert one.provenance["source"] == two.provenance["source"]
        for name, value in one.observations.arrays().items():
            np.testing.assert_array_equal(value, two.observations.arrays()[name], err_msg=name)


def test_every_frame_has_what_training_needs(tmp_path: Path) -> None:
    collect(SMALL, tmp_path / "data")
    episode = open_dataset(tmp_path / "data").episode(0)
    extras = episode.observations.extras
    assert {"object_poses", "camera_matrices", "progress", "success", "depth.front", "joint_actions"} <= set(extras)
    assert episode.n_frames == 6
    assert episode.n_steps == 10
    assert extras["joint_actions"].shape == (6, 2, 8)


def test_the_number_of_an_episode_decides_it(tmp_path: Path) -> None:
    collect(SMALL, tmp_path / "whole")
    collect(replace(SMALL, episodes=3), tmp_path / "half")
    whole, half = open_dataset(tmp_path / "whole"), open_dataset(tmp_path / "half")
    for i in range(3):
        np.testing.assert_array_equal(whole.episode(i).actions, half.episode(i).actions)


def test_killed_and_started_again_it_ends_alike(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "reverie.cli.main",
        "collect",
        "--episodes",
        "20",
        "--mix",
        "mixed",
        "--seconds",
        "1",
    ]
    process = subprocess.Popen([*command, "--out", str(tmp_path / "killed")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
    deadline = time.time() + 60
    while time.time() < deadline and not list(staging_folder(tmp_path / "killed").glob("*.parquet")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    config = replace(SMALL, episodes=20)
    collect(config, tmp_path / "killed")
    collect(config, tmp_path / "straight")
    _assert_same(tmp_path / "killed", tmp_path / "straight")


def test_shares_add_up_and_unknown_names_are_refused() -> None:
    assert sum(MIXES["mixed"].values()) == pytest.approx(1)
    assert pick(MIXES["mixed"], 0.0) == "expert"
    assert pick(MIXES["mixed"], 1 - 1e-9) == "play"
    with pytest.raises(ReverieError, match="did you mean 'mixed'"):
        CollectConfig(mix="mixd")
    with pytest.raises(ReverieError, match="unknown task"):
        CollectConfig(tasks=("puts",))
