"""The Franka-like arm on a tabletop: its specs, its cameras, and what a command does to the commanded state.

`integrate` is the only place where actions become commanded poses: collection, training and every world use it.
The commanded state has 15 numbers: TCP position (m) and rotation (quaternion wxyz) in the base frame, opening (0 closed
to 1 open), and the seven joint angles (rad) that inverse kinematics gives for that pose.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import unknown_name
from reverie.core.rotations import matrix_to_quat, quat_to_matrix, rpy_to_matrix
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.embodiments import panda_kinematics as kinematics
from reverie.embodiments.cameras import Camera, projection

Array = NDArray[np.float64]

NAME = "panda"
STATE_NAMES = ("x", "y", "z", "qw", "qx", "qy", "qz", "opening", *(f"q{i}" for i in range(1, 8)))
MAX_STEP_M = 0.04
MAX_TURN_RAD = 0.35
MAX_OPENING_STEP = 0.34  # a full stroke takes three control steps, 0.3 s
OPENING_M = 0.08  # between the pads when fully open
WORKSPACE_LOW = np.array([0.22, -0.34, 0.008])
WORKSPACE_HIGH = np.array([0.72, 0.34, 0.45])
HOME_POSITION = np.array([0.36, 0.0, 0.27])
HOME_ROTATION = np.diag([1.0, -1.0, -1.0])  # hand down, closing along y

CAMERAS = (
    Camera("front", (1.06, 0.0, 0.46), (0.45, 0.0, 0.03), (0, 0, 1), np.radians(39)),
    Camera("side", (0.45, -0.72, 0.44), (0.45, 0.0, 0.03), (0, 0, 1), np.radians(39)),
    Camera("top", (0.66, 0.0, 0.98), (0.465, 0.0, 0.0), (-1, 0, 0), np.radians(31)),
    Camera("wrist", (0.075, 0.0, -0.055), (0.03, 0.0, 0.06), (1, 0, 0), np.radians(85), mount="tcp"),
)

ACTION_SPEC = ActionSpec(
    names=("dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"),
    units=("m", "m", "m", "rad", "rad", "rad", "1"),
    modes=("delta", "delta", "delta", "delta", "delta", "delta", "absolute"),
    frame="base",
    rotation="rpy",
    gripper="closed0_open1",
    control_hz=10.0,
    low=(*(-MAX_STEP_M,) * 3, *(-MAX_TURN_RAD,) * 3, 0.0),
    high=(*(MAX_STEP_M,) * 3, *(MAX_TURN_RAD,) * 3, 1.0),
)
OBSERVATION_SPEC = ObservationSpec(
    cameras=tuple(c.spec for c in CAMERAS), commanded=STATE_NAMES, measured=STATE_NAMES, frame_every=2
)


def pose_of(state: Array) -> Array:
    """Commanded or measured state [B, 15] -> TCP pose [B, 4, 4]."""
    pose = np.zeros((len(state), 4, 4))
    pose[:, :3, :3] = quat_to_matrix(state[:, 3:7])
    pose[:, :3, 3] = state[:, :3]
    pose[:, 3, 3] = 1
    return pose


def state_of(pose: Array, opening: Array, joints: Array) -> Array:
    """TCP pose [B, 4, 4], opening [B] in 0..1 and joints [B, 7] -> state [B, 15]."""
    return np.concatenate([pose[:, :3, 3], matrix_to_quat(pose[:, :3, :3]), opening[:, None], joints], axis=1)


def start(offsets: Sequence[Sequence[float]]) -> Array:
    """The commanded state [B, 15] at reset: home plus [x y z roll pitch yaw] a row, gripper open."""
    shift = np.asarray(offsets, dtype=np.float64).reshape(-1, 6)
    pose = np.zeros((len(shift), 4, 4))
    pose[:, :3, :3] = rpy_to_matrix(shift[:, 3:]) @ HOME_ROTATION
    pose[:, :3, 3] = HOME_POSITION + shift[:, :3]
    pose[:, 3, 3] = 1
    rest = np.broadcast_to(kinematics.REST, (len(shift), 7))
    joints, _ = kinematics.inverse(pose, rest, iterations=100)
    return state_of(kinematics.forward(joints), np.ones(len(shift)), joints)


def integrate(commanded: Array, actions: NDArray[np.float32]) -> Array:
    """One control step: commanded [B, 15] and actions [B, 7] -> commanded [B, 15].

    Deltas are clipped to their bounds, positions to the workspace, the opening to its speed. A pose that the arm cannot
    reach is refused: the commanded pose stands still, so that it is always one which the commanded joints have.
    """
    low, high = np.array(ACTION_SPEC.low), np.array(ACTION_SPEC.high)
    action = np.clip(np.asarray(actions, dtype=np.float64), low, high)
    pose = pose_of(commanded)
    pose[:, :3, 3] = np.clip(pose[:, :3, 3] + action[:, :3], WORKSPACE_LOW, WORKSPACE_HIGH)
    pose[:, :3, :3] = rpy_to_matrix(action[:, 3:6]) @ pose[:, :3, :3]
    joints, converged = kinematics.inverse(pose, commanded[:, 8:])
    pose[~converged], joints[~converged] = pose_of(commanded[~converged]), commanded[~converged, 8:]
    opening = commanded[:, 7] + np.clip(action[:, 6] - commanded[:, 7], -MAX_OPENING_STEP, MAX_OPENING_STEP)
    return state_of(pose, opening, joints)


def camera_matrices(state: Array, cameras: Sequence[Camera] = CAMERAS) -> NDArray[np.float32]:
    """[B, 15] -> projection matrices [B, cameras, 3, 4] in the order of `cameras`."""
    tcp = pose_of(state)
    return np.stack([projection(c, tcp) for c in cameras], axis=1).astype(np.float32)


def cameras_of(look: Mapping[str, Any]) -> tuple[Camera, ...]:
    """Where the cameras of a scene with this look stand: `look["cameras"]` holds, by name, the arguments of `Camera.moved`.

    Errors: ReverieError for a name that is no camera's."""
    moved = look.get("cameras", {})
    for name in moved:
        if name not in (c.name for c in CAMERAS):
            raise unknown_name("camera", name, [c.name for c in CAMERAS])
    return tuple(c.moved(*moved[c.name]) if c.name in moved else c for c in CAMERAS)


def calibration_of(look: Mapping[str, Any]) -> tuple[Camera, ...]:
    """What is told of the cameras: where they stand, unless the look says that the calibration is the old one."""
    return CAMERAS if look.get("calibration") == "old" else cameras_of(look)
