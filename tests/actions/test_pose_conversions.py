"""Conversions: every one against SciPy or by hand, back again, and in two steps as in one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from reverie.actions import HandState, convert, hand_state
from reverie.actions.columns import columns_of
from reverie.core import ActionSpec, ReverieError
from reverie.core.fakes import ACTION_SPEC as NO_Z
from reverie.embodiments.panda import ACTION_SPEC as DELTA
from reverie.embodiments.panda import STATE_NAMES

ROTATIONS = {
    "rpy": ("roll", "pitch", "yaw"),
    "rotvec": ("rx", "ry", "rz"),
    "quat_wxyz": ("qw", "qx", "qy", "qz"),
    "rot6d": ("r11", "r21", "r31", "r12", "r22", "r32"),
}
RATE = 10.0
JOINTS = ActionSpec(
    ("q1", "q2", "gripper"), ("rad", "rad", "1"), ("absolute",) * 3, "joint", "none", "closed0_open1", RATE
)


def pose_spec(
    mode="absolute", frame="base", rotation="rpy", gripper="closed0_open1", gripper_mode="absolute"
) -> ActionSpec:
    names = ("x", "y", "z", *ROTATIONS[rotation], "gripper")
    turned = ("rad",) * 3 if rotation in ("rpy", "rotvec") else ("1",) * len(ROTATIONS[rotation])
    modes = (*(mode,) * (len(names) - 1), gripper_mode)
    return ActionSpec(names, ("m",) * 3 + turned + ("1",), modes, frame, rotation, gripper, RATE)


def sensible(spec: ActionSpec) -> bool:
    mode = columns_of(spec).mode
    return not (mode == "absolute" and spec.frame == "tool") and not (
        mode == "velocity" and spec.rotation in ("quat_wxyz", "rot6d")
    )


SPECS = [
    spec
    for mode in ("absolute", "delta", "velocity")
    for frame in ("base", "tool")
    for rotation in ROTATIONS
    for gripper, gripper_mode in (("closed0_open1", "absolute"), ("open0_closed1", "delta"))
    if sensible(spec := pose_spec(mode, frame, rotation, gripper, gripper_mode))
]
specs, seeds = st.sampled_from(SPECS), st.integers(0, 10_000)
some = settings(deadline=None, max_examples=80)


def start_of(seed: int, rows: int) -> HandState:
    rng = np.random.default_rng(seed)
    turned = Rotation.random(rows, rng=rng).as_matrix()
    return HandState(rng.normal(0, 0.4, (rows, 3)), turned, rng.uniform(0.4, 0.6, rows))


def chunk_of(seed: int, start: HandState, spec: ActionSpec, length: int = 4) -> np.ndarray:
    """[B, T, A] in the meaning of `spec`: small steps from the start, made with SciPy."""
    rng = np.random.default_rng(seed + 1)
    rows, values = len(start.position), []
    for _ in range(length):
        turn = Rotation.from_rotvec(rng.normal(0, 0.2, (rows, 3)))
        move, open_by = rng.normal(0, 0.03, (rows, 3)), rng.uniform(-0.1, 0.1, rows)
        values.append((move, turn, open_by))
    columns, out = columns_of(spec), np.zeros((rows, length, spec.action_dim))
    position, rotation, opening = start.position, Rotation.from_matrix(start.rotation), start.opening
    gain = RATE if columns.mode == "velocity" else 1.0
    for t, (move, turn, open_by) in enumerate(values):
        tool = spec.frame == "tool"
        position = position + (rotation.apply(move) if tool else move)
        rotation = rotation * turn if tool else turn * rotation
        opening = opening + open_by
        absolute = columns.mode == "absolute"
        out[:, t, columns.position] = position if absolute else gain * move
        numbers = as_numbers(rotation if absolute else turn, spec.rotation)
        out[:, t, columns.rotation] = numbers if absolute else gain * numbers
        flip = spec.gripper == "open0_closed1"
        steps = columns.gripper_mode != "absolute"
        out[:, t, columns.gripper] = (-open_by if flip else open_by) if steps else (1 - opening if flip else opening)
    return out


def as_numbers(rotation: Rotation, kind: str) -> np.ndarray:
    match kind:
        case "rpy":
            return rotation.as_euler("xyz")
        case "rotvec":
            return rotation.as_rotvec()
        case "quat_wxyz":
            return rotation.as_quat(canonical=True, scalar_first=True)
        case _:
            return rotation.as_matrix()[..., :2].swapaxes(-1, -2).reshape(-1, 6)


def assert_same_motion(a: np.ndarray, b: np.ndarray, spec: ActionSpec, start: HandState, atol: float = 2e-5) -> None:
    """Angles may be written in several ways: the poses that they lead to are compared."""
    poses = pose_spec("absolute", "base", "rot6d")
    np.testing.assert_allclose(convert(a, spec, poses, start), convert(b, spec, poses, start), atol=atol)


@some
@given(seeds, specs, specs)
def test_every_conversion_has_its_inverse(seed: int, here: ActionSpec, there: ActionSpec) -> None:
    start = start_of(seed, 3)
    given_ = chunk_of(seed, start, here)
    back = convert(convert(given_, here, there, start), there, here, start)
    assert_same_motion(back, given_, here, start)
    if here.rotation in ("quat_wxyz", "rot6d") or columns_of(here).mode != "absolute":  # written in one way only
        np.testing.assert_allclose(back, given_, atol=1e-4)


@some
@given(seeds, specs, specs, specs)
def test_two_steps_are_one(seed: int, a: ActionSpec, b: ActionSpec, c: ActionSpec) -> None:
    start = start_of(seed, 2)
    given_ = chunk_of(seed, start, a)
    assert_same_motion(convert(convert(given_, a, b, start), b, c, start), convert(given_, a, c, start), c, start)


@some
@given(seeds, specs)
def test_agrees_with_scipy(seed: int, here: ActionSpec) -> None:
    """The same steps composed by SciPy: the poses, and the opening."""
    start = start_of(seed, 3)
    wanted = pose_spec("absolute", "base", "quat_wxyz")
    found = convert(chunk_of(seed, start, here), here, wanted, start)
    position, rotation, opening = integrated(seed, start, here.frame)
    np.testing.assert_allclose(found[..., :3], position, atol=1e-5)
    np.testing.assert_allclose(found[..., 3:7], rotation, atol=1e-5)
    np.testing.assert_allclose(found[..., 7], opening, atol=1e-5)


def integrated(seed: int, start: HandState, frame: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position [B, T, 3], quaternion [B, T, 4] and opening [B, T] of the chunk that `chunk_of` writes."""
    spec = pose_spec("delta", frame, "rotvec", gripper_mode="delta")
    steps = chunk_of(seed, start, spec)
    poses = np.tile(np.eye(4), (len(steps), 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = start.rotation, start.position
    places, turns = [], []
    for t in range(steps.shape[1]):
        turn = Rotation.from_rotvec(steps[:, t, 3:6]).as_matrix()
        if frame == "tool":  # one homogeneous matrix on the right
            step = np.tile(np.eye(4), (len(steps), 1, 1))
            step[:, :3, :3], step[:, :3, 3] = turn, steps[:, t, :3]
            poses = poses @ step
        else:
            poses[:, :3, :3], poses[:, :3, 3] = turn @ poses[:, :3, :3], poses[:, :3, 3] + steps[:, t, :3]
        places.append(poses[:, :3, 3].copy())
        turns.append(Rotation.from_matrix(poses[:, :3, :3]).as_quat(canonical=True, scalar_first=True))
    return np.stack(places, 1), np.stack(turns, 1), start.opening[:, None] + np.cumsum(steps[..., -1], axis=1)


@some
@given(seeds, st.sampled_from(list(ROTATIONS)), st.sampled_from(list(ROTATIONS)))
def test_rotations_of_poses_need_no_start(seed: int, a: str, b: str) -> None:
    start = start_of(seed, 3)
    here, there = pose_spec(rotation=a), pose_spec(rotation=b)
    found = convert(chunk_of(seed, start, here), here, there)
    wanted = chunk_of(seed, start, there)
    if b in ("quat_wxyz", "rot6d"):
        np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-5)
    assert_same_motion(found, wanted, there, start)


def test_steps_in_one_frame_need_no_start() -> None:
    start = start_of(0, 2)
    here, there = pose_spec("delta", "tool", "rpy"), pose_spec("velocity", "tool", "rotvec", "open0_closed1")
    np.testing.assert_allclose(convert(chunk_of(0, start, here), here, there), chunk_of(0, start, there), atol=1e-5)


def test_a_quarter_turn_by_hand() -> None:
    """The hand turned 90 degrees about z: its x is the base's y. Then 10 cm forwards in tool and in base frame."""
    turned = Rotation.from_euler("z", 90, degrees=True).as_matrix()[None]
    start = HandState(np.array([[0.5, 0.0, 0.2]]), turned, np.array([1.0]))
    forwards = np.array([[[0.1, 0, 0, 0, 0, 0, 0.3]] * 2])
    poses = pose_spec("absolute", "base", "rpy", "open0_closed1")
    by_tool = convert(forwards, pose_spec("delta", "tool"), poses, start)
    np.testing.assert_allclose(by_tool[0], [[0.5, 0.1, 0.2, 0, 0, np.pi / 2, 0.7], [0.5, 0.2, 0.2, 0, 0, np.pi / 2, 0.7]], atol=1e-6)  # fmt: skip
    by_base = convert(forwards, pose_spec("delta", "base"), poses, start)
    np.testing.assert_allclose(by_base[0, :, :2], [[0.6, 0], [0.7, 0]], atol=1e-6)
    speeds = convert(forwards, pose_spec("delta", "base"), pose_spec("velocity", "tool"), start)
    np.testing.assert_allclose(speeds[0, :, :3], [[0, -1, 0]] * 2, atol=1e-6)


def test_gripper_steps_stop_where_a_gripper_does() -> None:
    start = HandState(np.zeros((1, 3)), np.eye(3)[None], np.array([0.5]))
    spec = pose_spec("delta", gripper="open0_closed1", gripper_mode="velocity")
    closing = np.zeros((1, 4, 7))
    closing[0, :, 6] = [3, 3, -2, -20]  # per second, 1 is closed
    found = convert(closing, spec, pose_spec(), start)
    np.testing.assert_allclose(found[0, :, 6], [0.2, 0, 0.2, 1], atol=1e-6)


def test_the_arms_own_commands() -> None:
    """The panda's deltas, from its commanded state by names, are its poses one after the other."""
    state = np.zeros((2, 15))
    state[:, :3], state[:, 3:7], state[:, 7] = [0.4, 0, 0.3], [0, 1, 0, 0], 1
    start = hand_state(state, STATE_NAMES)
    np.testing.assert_allclose(start.rotation[0], np.diag([1, -1, -1]), atol=1e-12)
    assert start.joints.shape == (2, 7)
    found = convert(np.full((2, 3, 7), 0.01), DELTA, pose_spec("absolute", "base", "rot6d"), start)
    np.testing.assert_allclose(found[0, :, 0], [0.41, 0.42, 0.43], atol=1e-6)
    yawed = Rotation.from_euler("xyz", [0.01, 0.01, 0.01])
    np.testing.assert_allclose(found[0, 2, 3:9], as_numbers(yawed**3 * Rotation.from_matrix(start.rotation[:1]), "rot6d")[0], atol=1e-4)  # fmt: skip


@pytest.mark.parametrize(
    ("here", "there", "message"),
    [
        (pose_spec(), pose_spec("absolute", "tool"), "absolute pose in the tool frame"),
        (pose_spec(), pose_spec("velocity", rotation="rot6d"), "a velocity of rot6d has no meaning"),
        (pose_spec(), replace(pose_spec(), control_hz=20.0), "not resampled"),
        (pose_spec(), replace(pose_spec(), gripper="none"), "correct the spec|one has none"),
        (pose_spec(), replace(pose_spec(), units=("mm",) * 3 + pose_spec().units[3:]), "unit 'mm'"),
        (pose_spec(), JOINTS, "kinematics"),
        (
            pose_spec(),
            replace(pose_spec(), modes=("delta", *pose_spec().modes[1:])),
            r"\['absolute', 'delta'\], expected one",
        ),
        (pose_spec(), replace(pose_spec(), names=("a", *pose_spec().names[1:])), "0 numbers named 'x'"),
        (pose_spec(), replace(pose_spec(), names=("x", "y", "z", "terminate", "pitch", "yaw", "gripper")), "'roll'"),
        (pose_spec(), replace(pose_spec(), rotation="quat_wxyz"), "found no quat_wxyz"),
        (NO_Z, pose_spec(), "'z'|one has none"),
        (pose_spec("delta"), pose_spec(), "commanded position at the start"),
        (pose_spec("delta"), pose_spec("delta", "tool"), "commanded position at the start"),
        (pose_spec(gripper_mode="delta"), pose_spec(), "commanded opening at the start"),
    ],
)
def test_what_cannot_be_converted_is_refused(here: ActionSpec, there: ActionSpec, message: str) -> None:
    with pytest.raises(ReverieError, match=message):
        convert(np.full((2, 3, here.action_dim), 0.1), here, there)


def test_numbers_that_are_no_rotation() -> None:
    for rotation, values in (("quat_wxyz", [0, 0, 0, 0]), ("rot6d", [1, 0, 0, 2, 0, 0])):
        here = pose_spec(rotation=rotation)
        with pytest.raises(ReverieError, match=f"{rotation} .* is no rotation"):
            convert(np.array([[[0, 0, 0, *values, 0]]]), here, pose_spec())
    with pytest.raises(ReverieError, match="not finite"):
        convert(np.full((1, 1, 7), np.nan), pose_spec(), pose_spec())
    with pytest.raises(ReverieError, match="2 rows of position, the actions 3"):
        convert(np.zeros((3, 1, 7)), pose_spec("delta"), pose_spec(), start_of(0, 2))


def test_states_that_do_not_fit_their_names() -> None:
    with pytest.raises(ReverieError, match="expected finite numbers"):
        hand_state(np.zeros((2, 3)), ("x", "y"))
    bare = hand_state(np.zeros((2, 1)), ("gripper",))
    assert bare.position is bare.rotation is bare.joints is None
    droid = hand_state(
        np.array([[0.1, 0.2, 0.3, 0, 0, np.pi / 2, 0.5]]), ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
    )
    np.testing.assert_allclose(droid.rotation[0, :, 0], [0, 1, 0], atol=1e-12)
    assert droid.opening.tolist() == [0.5]
