"""Joint commands and end-effector commands: exact one way, to the solver's tolerance the other, and honest where it fails."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.actions import HandState, hand_state
from reverie.core import ActionSpec, ReverieError
from reverie.core.rotations import rpy_to_matrix
from reverie.embodiments import panda, panda_kinematics
from reverie.embodiments.conversions import convert, convert_rows

JOINTS = tuple(f"q{i}" for i in range(1, 8))
TOLERANCE_M, TOLERANCE_RAD = 6e-4, 2.2e-3  # the solver's, and a float32's


def joint_spec(mode: str, gripper: str = "closed0_open1") -> ActionSpec:
    return ActionSpec(
        (*JOINTS, "gripper"), ("rad",) * 7 + ("1",), (*(mode,) * 7, "absolute"), "joint", "none", gripper, 10.0
    )


POSES = ActionSpec(
    ("x", "y", "z", "rx", "ry", "rz", "gripper"), ("m",) * 3 + ("rad",) * 3 + ("1",), ("absolute",) * 7, "base", "rotvec", "closed0_open1", 10.0
)  # fmt: skip
STEPS = panda.ACTION_SPEC
COLUMNS = replace(
    POSES, names=("x", "y", "z", "r11", "r21", "r31", "r12", "r22", "r32", "gripper"), units=("m",) * 3 + ("1",) * 7, modes=("absolute",) * 10, rotation="rot6d"
)  # fmt: skip
BARE = ActionSpec(
    ("x", "y", "z", "roll", "pitch", "yaw"), ("m",) * 3 + ("rad",) * 3, ("absolute",) * 6, "base", "rpy", "none", 10.0
)
SPEEDS = replace(POSES, modes=("velocity",) * 6 + ("absolute",), frame="tool", rotation="rpy")
seeds = st.integers(0, 1000)
some = settings(deadline=None, max_examples=15)


def start(rows: int, seed: int = 0):
    state = panda.start(np.random.default_rng(seed).normal(0, 0.03, (rows, 6)))
    return hand_state(state, panda.STATE_NAMES), state


def steps(seed: int, rows: int, length: int = 5) -> np.ndarray:
    """Commands of the arm [rows, length, 7], well within its reach."""
    rng = np.random.default_rng(seed)
    chunk = rng.uniform(-0.02, 0.02, (rows, length, 7))
    chunk[..., 3:6] *= 5
    chunk[..., 6] = rng.random((rows, length))
    return chunk


def assert_same_poses(a: np.ndarray, b: np.ndarray) -> None:
    """Joint chunks [B, T, 8] lead to the same poses."""
    pose_a, pose_b = (panda_kinematics.forward(v[..., :7].reshape(-1, 7).astype(np.float64)) for v in (a, b))
    assert np.linalg.norm(pose_a[:, :3, 3] - pose_b[:, :3, 3], axis=1).max() < TOLERANCE_M
    assert np.abs(pose_a[:, :3, :3] - pose_b[:, :3, :3]).max() < TOLERANCE_RAD


@some
@given(seeds, st.sampled_from([STEPS, POSES, SPEEDS]), st.sampled_from(["absolute", "delta", "velocity"]))
def test_hand_to_joints_and_back(seed: int, spec: ActionSpec, mode: str) -> None:
    begin, _ = start(3, seed)
    given_ = convert(steps(seed, 3), STEPS, spec, begin)
    joints = convert_rows(given_, spec, joint_spec(mode, "open0_closed1"), begin)
    keep = joints.converged  # in about one of forty rows joint 4 meets its limit
    assert keep.any()
    begin = HandState(begin.position[keep], begin.rotation[keep], begin.opening[keep], begin.joints[keep])
    back = convert(joints.actions[keep], joint_spec(mode, "open0_closed1"), spec, begin)
    found, wanted = (convert(v, spec, COLUMNS, begin) for v in (back, given_[keep]))
    assert np.linalg.norm(found[..., :3] - wanted[..., :3], axis=-1).max() < TOLERANCE_M
    np.testing.assert_allclose(found[..., 3:9], wanted[..., 3:9], atol=TOLERANCE_RAD)
    np.testing.assert_allclose(found[..., 9], wanted[..., 9], atol=1e-6)


def test_nearly_every_small_motion_can_be_followed() -> None:
    begin, _ = start(200)
    assert convert_rows(steps(0, 200), STEPS, joint_spec("absolute"), begin).converged.mean() > 0.95


@some
@given(seeds, st.sampled_from([STEPS, POSES, SPEEDS]))
def test_joints_to_hand_keeps_the_pose_on_the_way_back(seed: int, spec: ActionSpec) -> None:
    begin, _ = start(2, seed)
    rng = np.random.default_rng(seed)
    chunk = np.zeros((2, 4, 8))
    chunk[..., :7] = begin.joints[:, None] + np.cumsum(rng.normal(0, 0.02, (2, 4, 7)), axis=1)
    chunk[..., :7] = np.clip(chunk[..., :7], panda_kinematics.JOINT_LOW + 0.1, panda_kinematics.JOINT_HIGH - 0.1)
    there = convert(chunk, joint_spec("absolute"), spec, begin)
    assert_same_poses(convert(there, spec, joint_spec("absolute"), begin), chunk)


@some
@given(seeds, st.sampled_from(["absolute", "delta", "velocity"]), st.sampled_from(["absolute", "delta", "velocity"]))
def test_joint_modes_are_exact(seed: int, a: str, b: str) -> None:
    begin, _ = start(3, seed)
    rng = np.random.default_rng(seed)
    poses = begin.joints[:, None] + np.cumsum(rng.normal(0, 0.05, (3, 4, 7)), axis=1)
    chunk = np.concatenate([poses, rng.random((3, 4, 1))], axis=-1)
    here = convert(chunk, joint_spec("absolute"), joint_spec(a), begin)
    there = convert(here, joint_spec(a), joint_spec(b, "open0_closed1"), begin)
    np.testing.assert_allclose(convert(there, joint_spec(b, "open0_closed1"), joint_spec(a), begin), here, atol=2e-5)
    np.testing.assert_allclose(
        convert(there, joint_spec(b, "open0_closed1"), joint_spec("absolute"), begin), chunk, atol=1e-5
    )
    if a == "delta":
        np.testing.assert_allclose(here[:, 1:, :7], np.diff(poses, axis=1), atol=1e-6)
    if a == "velocity":
        np.testing.assert_allclose(here[:, 1:, :7], 10 * np.diff(poses, axis=1), atol=1e-5)


def test_agrees_with_what_the_arm_does() -> None:
    """`panda.integrate` executes the deltas; the converted joints have the same poses."""
    begin, state = start(3)
    chunk = steps(3, 3)
    joints = convert(chunk, STEPS, joint_spec("absolute"), begin)
    for t in range(chunk.shape[1]):
        state = panda.integrate(state, chunk[:, t].astype(np.float32))
        found = panda_kinematics.forward(joints[:, t, :7].astype(np.float64))
        wanted = panda.pose_of(state)
        # both lie within the solver's tolerance of the target, and the arm's errors add up from step to step
        assert np.linalg.norm(found[:, :3, 3] - wanted[:, :3, 3], axis=1).max() < TOLERANCE_M * (t + 2)
        assert np.abs(found[:, :3, :3] - wanted[:, :3, :3]).max() < TOLERANCE_RAD * (t + 2)


def test_agrees_with_a_real_arms_log() -> None:
    """DROID logs joints and the pose of the flange: 103.4 mm above our TCP, turned by 45 degrees about its axis."""
    shared = Path(os.environ.get("REVERIE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    logs = sorted(shared.glob("data/droid/droid_new_setup/annotation/val/*.json"))
    if not logs:
        pytest.skip(f"no real samples at {shared} (set REVERIE_SHARED)")
    flange = np.eye(4)
    flange[:3, :3], flange[2, 3] = rpy_to_matrix(np.array([0, 0, np.pi / 4])), -panda_kinematics.TCP_M
    for log in logs[:4]:
        value = json.loads(log.read_text())
        joints, states = np.array(value["joints"])[None, :, :7], np.array(value["states"])
        poses = convert(joints, replace(joint_spec("absolute"), names=JOINTS, units=("rad",) * 7, modes=("absolute",) * 7, gripper="none"), BARE)[0]  # fmt: skip
        tcp = np.tile(np.eye(4), (len(poses), 1, 1))
        tcp[:, :3, :3], tcp[:, :3, 3] = rpy_to_matrix(poses[:, 3:].astype(np.float64)), poses[:, :3]
        found = tcp @ flange
        np.testing.assert_allclose(found[:, :3, 3], states[:, :3], atol=1e-4)
        np.testing.assert_allclose(found[:, :3, :3], rpy_to_matrix(states[:, 3:6]), atol=1e-4)


def test_rows_that_cannot_be_reached_are_reported_and_the_others_kept() -> None:
    begin, _ = start(3)
    chunk = steps(0, 3)
    poses = convert(chunk, STEPS, POSES, begin)
    poses[1, 2:, 0] = 2.0  # two metres away
    found = convert_rows(poses, POSES, joint_spec("absolute"), begin)
    assert found.converged.tolist() == [True, False, True]
    assert found.stopped_at.tolist() == [-1, 2, -1]
    assert np.isnan(found.actions[1]).all()
    with pytest.raises(ReverieError, match=r"1 of 3 rows \(row 1 at step 2\)"):
        convert(poses, POSES, joint_spec("absolute"), begin)
    for row in range(3):
        alone_start = hand_state(start(3)[1][row : row + 1], panda.STATE_NAMES)
        alone = convert_rows(poses[row : row + 1], POSES, joint_spec("absolute"), alone_start)
        np.testing.assert_array_equal(alone.actions[0], found.actions[row])


def test_without_joints_it_is_the_conversion_of_poses() -> None:
    begin, _ = start(2)
    found = convert_rows(steps(1, 2), STEPS, POSES, begin)
    assert found.converged.all()
    assert found.actions.shape == (2, 5, 7)


@pytest.mark.parametrize(
    ("here", "there", "message"),
    [
        (joint_spec("delta"), POSES, "commanded joints at the start"),
        (POSES, joint_spec("absolute"), "commanded joints at the start"),
        (joint_spec("absolute"), STEPS, "commanded position at the start"),
        (joint_spec("absolute"), replace(joint_spec("absolute"), control_hz=5.0), "not resampled"),
        (joint_spec("absolute"), replace(POSES, frame="tool"), "absolute pose in the tool frame"),
        (replace(POSES, rotation="none", names=("x", "y", "z", "gripper"), units=("m", "m", "m", "1"), modes=("absolute",) * 4), joint_spec("absolute"), "rotation 'none'"),
        (ActionSpec(("q1", "q2"), ("rad",) * 2, ("absolute",) * 2, "joint", "none", "none", 10.0), replace(POSES, gripper="none", names=POSES.names[:6], units=POSES.units[:6], modes=POSES.modes[:6]), "has 2 joints, the arm has 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused(here: ActionSpec, there: ActionSpec, message: str) -> None:
    with pytest.raises(ReverieError, match=message):
        convert(np.full((2, 3, here.action_dim), 0.1), here, there)
