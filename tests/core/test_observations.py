"""Observations: indexing keeps arrays and instructions together."""

import numpy as np

from reverie.core import Observations

THREE = Observations(images={}, time_s=np.arange(3.0), instructions=("a", "b", "c"))


def test_instructions_follow_the_rows():
    assert THREE[1].instructions == ("b",)
    assert THREE[np.int64(2)].instructions == ("c",)
    assert THREE[1:].instructions == ("b", "c")
    assert THREE[np.array([2, 0])].instructions == ("c", "a")
    assert THREE[np.array([True, False, True])].instructions == ("a", "c")


def test_one_row_of_windows_keeps_its_time_and_its_instruction():
    windows = Observations(images={}, time_s=np.zeros((3, 4)), instructions=THREE.instructions)
    assert windows[1].time_s.shape == (4,)
    assert windows[1].instructions == ("b",)
    assert windows[:, -1].instructions == THREE.instructions
    assert windows[1, -1].instructions == ("b",)


def test_the_one_instruction_of_an_episode_stays():
    episode = Observations(images={}, time_s=np.arange(5.0), instructions=("go",))
    assert episode[2].instructions == episode[1:3].instructions == ("go",)
