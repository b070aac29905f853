"""What `describe` counts and flags, what the terminal shows, and the contact sheet's picture."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from reverie.core import ReverieError
from reverie.data import open_dataset, write_dataset
from reverie.data.contact_sheet import contact_sheet
from reverie.data.show import render_summary
from reverie.data.summary import describe


@pytest.fixture
def dataset(tmp_path, make_episode):
    episodes = [make_episode(i, n_actions=8 + i, size=32, success=s) for i, s in enumerate([True, False, None, None])]
    for episode in episodes:
        episode.actions[:, 2] = 1.0
    return open_dataset(write_dataset(tmp_path / "d", episodes))


def test_numbers(dataset):
    summary = describe(dataset)
    assert (summary.n_episodes, summary.n_actions, summary.n_frames) == (4, 8 + 9 + 10 + 11, 5 + 5 + 6 + 6)
    assert (summary.n_success, summary.n_failure, summary.n_unlabelled) == (1, 1, 2)
    assert (summary.steps_min, summary.steps_median, summary.steps_max) == (8, 9.5, 11)
    assert summary.hours == pytest.approx(38 / 10 / 3600)
    assert dict(summary.instructions) == {"put the red brick in the bowl, 0": 2, "put the red brick in the bowl, 1": 2}
    assert dict(summary.splits) == {"train": 2, "val": 2}
    actions = np.concatenate([e.actions for e in dataset])
    assert [r.constant for r in summary.ranges["action"]] == [False, False, True]
    assert [r.low for r in summary.ranges["action"]] == pytest.approx(actions.min(axis=0))
    assert [r.unit for r in summary.ranges["measured"]] == ["m", "m", "1"]


def test_an_angle_that_jumps_is_flagged(tmp_path, make_episode):
    episode = make_episode()
    spec = replace(episode.action_spec, units=("rad", "rad", "1"))
    episode.actions[:] = np.array([3.1, 0.1, 0.0])
    episode.actions[4:, 0] = -3.1
    ranges = describe(open_dataset(write_dataset(tmp_path / "d", [replace(episode, action_spec=spec)]))).ranges[
        "action"
    ]
    assert [r.wraps for r in ranges] == [True, False, False]


def test_text(dataset):
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(render_summary(describe(dataset)))
    text = console.export_text()
    for wanted in (
        "4: 22 frames, 38 actions",
        "1 success, 1 failure, 2 unlabelled",
        "CONSTANT",
        "gripper closed0_open1",
        "10 Hz",
        "2 instructions",
    ):
        assert wanted in text


def test_contact_sheet_shows_the_frames(dataset, tmp_path):
    path = contact_sheet(dataset, tmp_path / "sheets/all.png", frames=3)
    sheet = np.asarray(Image.open(path))
    first = dataset.episode(0).observations.images["top"][0]
    tile = sheet[16 : 16 + 96, :96]  # below the title
    shown = tile[1::3, 1::3]  # each pixel is three wide
    np.testing.assert_array_equal(shown[8:], first[8:])  # the camera's name is written above
    last = dataset.episode(0).observations.images["side"][-1]
    np.testing.assert_array_equal(sheet[16 + 98 : 16 + 98 + 96, 2 * 98 : 2 * 98 + 96][1::3, 1::3][:, 5:], last[:, 5:])


def test_contact_sheet_of_nothing(dataset, tmp_path):
    with pytest.raises(ReverieError, match="at least one"):
        contact_sheet(dataset, tmp_path / "no.png", episodes=[])
