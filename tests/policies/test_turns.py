"""How far the hand is turned from what it is to grasp: the turn that the planner makes, told to a policy."""

import numpy as np
import pytest
import torch

from reverie.core.rotations import matrix_to_quat, rpy_to_matrix
from reverie.embodiments.panda import HOME_ROTATION
from reverie.nn.grounding import HeadingReading
from reverie.policies.encoders import turns
from reverie.scenes.assets import OBJECTS
from reverie.scenes.grasping import grasp_yaw

TURNED = {kind: k.yaw_period_rad for kind, k in OBJECTS.items() if k.yaw_period_rad}
SYMMETRIES = (1, 2, 4)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_heading_is_read_off_a_normalised_quaternion_of_either_sign(sign):
    yaw = np.linspace(-1.5, 1.5, 7)
    tilted = np.stack([np.full(7, 0.1), np.full(7, -0.05), yaw], axis=1)
    quat = sign * matrix_to_quat(rpy_to_matrix(tilted) @ HOME_ROTATION)
    offset, scale = np.array([0.1, 0.2, -0.3, 0.4]), np.array([0.5, 2.0, 0.7, 0.3])
    state = torch.tensor(np.concatenate([np.zeros((7, 3)), (quat - offset) / scale], axis=1), dtype=torch.float32)
    found = HeadingReading(3, tuple(offset.tolist()), tuple(scale.tolist())).of(state)
    np.testing.assert_allclose(found, yaw, atol=0.02)  # the tilt moves it a little


@pytest.mark.parametrize("kind", TURNED)
def test_one_of_the_turns_is_the_one_that_the_planner_makes(kind):
    period, rng = TURNED[kind], np.random.default_rng(0)
    symmetry = round(2 * np.pi / period)
    for yaw, heading in rng.uniform([-np.pi, -0.5], [np.pi, 0.5], (50, 2)):
        yaws = torch.tensor([[[np.cos(symmetry * yaw), np.sin(symmetry * yaw)]]])
        found = turns(yaws, torch.tensor([heading]), SYMMETRIES)
        assert found.shape == (1, 1, len(SYMMETRIES))
        wanted = grasp_yaw(period, yaw, heading) - heading
        assert found[0, 0, SYMMETRIES.index(symmetry)] == pytest.approx(wanted, abs=1e-5)
