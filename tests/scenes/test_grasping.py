"""Grasping geometry: turning a thing by what it repeats after changes nothing, and room is where nothing stands."""

import numpy as np
import pytest

from reverie.core.rotations import rpy_to_matrix
from reverie.scenes.assets import CONTAINERS, OBJECTS
from reverie.scenes.grasping import beside_spot, grasp_of, grasp_yaw, release_height


@pytest.mark.parametrize("kind", [k for k, v in OBJECTS.items() if 0 < v.yaw_period_rad < 4])
def test_a_turn_by_the_period_grasps_alike(kind):
    period = OBJECTS[kind].yaw_period_rad
    for yaw in (-1.1, -0.3, 0.0, 0.7):
        same = [grasp_yaw(period, yaw + n * period, 0.0) for n in (-2, 0, 1)]
        assert np.ptp(same) < 1e-9
        assert abs(same[0]) <= period / 2 + 1e-9


def test_round_things_are_grasped_without_turning():
    assert grasp_yaw(0.0, 1.2, 0.4) == 0.4


def test_the_grasp_turns_with_an_asymmetric_thing():
    kind = OBJECTS["corner"]
    centre = np.array([0.5, 0.1, kind.height_m / 2])
    at = [grasp_of(kind, centre, rpy_to_matrix(np.array([0, 0, yaw])), 0.0)[0] - centre for yaw in (0.0, np.pi / 2)]
    assert np.allclose(at[1][:2], [-at[0][1], at[0][0]])


def test_fingers_open_above_the_rim_and_not_higher_than_needed_without_one():
    assert release_height(0.006, 0.013, CONTAINERS["box"]) > CONTAINERS["box"].rim_m + 0.009
    assert release_height(0.0, 0.02, None) < 0.04


def test_the_spot_beside_avoids_what_stands_there_and_the_edge():
    reference = np.array([0.45, 0.0])
    free = beside_spot(reference, 0.1, 0.03, np.zeros((0, 2)), np.zeros(0))
    assert np.isclose(np.linalg.norm(free - reference), 0.1)
    blocked = beside_spot(reference, 0.1, 0.03, free[None], np.array([0.03]))
    assert np.linalg.norm(blocked - free) > 0.06
    assert abs(beside_spot(np.array([0.45, 0.2]), 0.1, 0.03, np.zeros((0, 2)), np.zeros(0))[1]) < 0.23
