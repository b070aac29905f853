"""The arm: kinematics against MuJoCo, commands against what they should do, cameras against what is drawn."""

import mujoco
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.embodiments import panda, panda_kinematics
from reverie.embodiments.cameras import project
from reverie.embodiments.drawing import PoseMap, _robot_only


def test_forward_kinematics_agrees_with_mujoco() -> None:
    model = _robot_only()
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    for joints in rng.uniform(panda_kinematics.JOINT_LOW, panda_kinematics.JOINT_HIGH, (20, 7)):
        data.qpos[:7] = joints
        mujoco.mj_kinematics(model, data)
        pose = panda_kinematics.forward(joints[None])[0]
        np.testing.assert_allclose(data.site("tcp").xpos, pose[:3, 3], atol=1e-6)
        np.testing.assert_allclose(data.site("tcp").xmat.reshape(3, 3), pose[:3, :3], atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-0.04, 0.04), min_size=3, max_size=3), st.floats(-0.3, 0.3))
def test_a_command_moves_the_target_pose_by_exactly_that(move: list[float], yaw: float) -> None:
    before = panda.start([[0.0] * 6])
    after = panda.integrate(before, np.array([[*move, 0, 0, yaw, 1.0]], np.float32))
    np.testing.assert_allclose(after[0, :3] - before[0, :3], np.float32(move), atol=1e-6)
    np.testing.assert_allclose(
        panda_kinematics.forward(after[:, 8:])[0], panda.pose_of(after)[0], atol=2e-3
    )  # the joints have that pose


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    start = panda.start(np.random.default_rng(0).normal(0, 0.02, (5, 6)))
    actions = np.random.default_rng(1).normal(0, 0.02, (5, 7)).astype(np.float32)
    together = panda.integrate(start, actions)
    alone = np.concatenate([panda.integrate(start[i : i + 1], actions[i : i + 1]) for i in range(5)])
    np.testing.assert_array_equal(together, alone)


def test_an_unreachable_command_leaves_the_pose_where_it_was() -> None:
    state = panda.start([[0.0] * 6])
    for _ in range(100):
        state = panda.integrate(state, np.array([[0.04, 0.04, 0.04, 0, 0, 0.35, 0]], np.float32))
    assert np.isfinite(state).all()
    np.testing.assert_allclose(panda_kinematics.forward(state[:, 8:])[0], panda.pose_of(state)[0], atol=2e-3)


def test_the_opening_closes_within_three_steps() -> None:
    state = panda.start([[0.0] * 6])
    openings = []
    for _ in range(4):
        state = panda.integrate(state, np.zeros((1, 7), np.float32))
        openings.append(state[0, 7])
    assert openings[0] > 0.5
    assert openings[2] == 0.0


def test_projection_finds_the_fingers_in_every_view() -> None:
    """The TCP projects between the open fingers of the robot's drawing."""
    state = panda.start([[0.08, 0.02, -0.18, 0, 0, 0]])
    _, depth = PoseMap().draw(state[0].astype(np.float32))
    for camera, matrix, shown in zip(panda.CAMERAS, panda.camera_matrices(state)[0], depth, strict=True):
        pixel, distance = project(matrix.astype(np.float64), state[0, :3])
        u, v = np.round(pixel).astype(int)
        assert 3 <= u < 61, camera.name
        assert 3 <= v < 61, camera.name
        near = shown[max(v - 8, 0) : v + 9, max(u - 8, 0) : u + 9]
        if camera.name != "wrist":  # seen from the hand, the TCP hangs in the air between the fingers
            assert np.abs(near[np.isfinite(near)] - distance).min() < 0.06, camera.name
