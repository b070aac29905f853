"""Forward and inverse kinematics of the 7-joint arm, batched, numpy only.

Link lengths and joint limits are the Franka Emika Robot's published ones (Denavit-Hartenberg parameters in Craig's
convention, https://frankaemika.github.io/docs/control_parameters.html). The tool centre point (TCP) lies between the
finger tips, 0.1034 m below the hand's flange. Poses are [..., 4, 4] in the robot's base frame, metres.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core.rotations import matrix_to_rotvec

Array = NDArray[np.float64]

# (a, alpha, d) before each joint, Craig's convention
_DH = (
    (0.0, 0.0, 0.333),
    (0.0, -np.pi / 2, 0.0),
    (0.0, np.pi / 2, 0.316),
    (0.0825, np.pi / 2, 0.0),
    (-0.0825, -np.pi / 2, 0.384),
    (0.0, np.pi / 2, 0.0),
    (0.088, np.pi / 2, 0.0),
)
FLANGE_M = 0.107
TCP_M = 0.1034
JOINT_LOW = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973])
JOINT_HIGH = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973])
REST = np.array([0.0, -0.3, 0.0, -2.3, 0.0, 2.0, np.pi / 4])
"""Where the redundant joint is drawn to: elbow up, hand down."""


def _fixed(a: float, alpha: float, d: float) -> Array:
    c, s = np.cos(alpha), np.sin(alpha)
    return np.array([[1, 0, 0, a], [0, c, -s, -s * d], [0, s, c, c * d], [0, 0, 0, 1]])


_FIXED = tuple(_fixed(*row) for row in _DH)
_HAND = np.eye(4)
_HAND[:3, :3] = [[np.sqrt(0.5), np.sqrt(0.5), 0], [-np.sqrt(0.5), np.sqrt(0.5), 0], [0, 0, 1]]  # -45 degrees about z
_HAND[2, 3] = FLANGE_M + TCP_M


def joint_frames(joints: Array) -> Array:
    """[B, 7] angles -> [B, 8, 4, 4]: the frame of each link after its joint, then the TCP."""
    pose = np.broadcast_to(np.eye(4), (len(joints), 4, 4))
    frames = []
    for i, fixed in enumerate(_FIXED):
        c, s = np.cos(joints[:, i]), np.sin(joints[:, i])
        turn = np.zeros((len(joints), 4, 4))
        turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = c, -s, s, c
        turn[:, 2, 2] = turn[:, 3, 3] = 1
        pose = pose @ fixed @ turn
        frames.append(pose)
    return np.stack([*frames, pose @ _HAND], axis=1)


def forward(joints: Array) -> Array:
    """[B, 7] -> TCP pose [B, 4, 4]."""
    return np.asarray(joint_frames(joints)[:, -1])


def inverse(target: Array, start: Array, iterations: int = 12) -> tuple[Array, NDArray[np.bool_]]:
    """Joint angles [B, 7] near `start` that reach TCP poses [B, 4, 4], and which rows converged (0.5 mm, 2 mrad).

    Damped least squares (Nakamura & Hanafusa 1986); the first iteration also moves towards the rest posture in the null
    space (later ones would disturb convergence). Joints are clipped to their limits in each iteration. Rows that have converged stand still, so a row's result does not depend on others.
    """
    joints = np.array(start, dtype=np.float64)
    active = np.ones(len(joints), dtype=bool)
    for i in range(iterations):
        frames = joint_frames(joints)
        error = _pose_error(target, frames[:, -1])
        active &= ~_converged(error)
        if not active.any():
            break
        joints[active] = _newton_step(joints[active], frames[active], error[active], 0.05 if i == 0 else 0.0)
    return joints, _converged(_pose_error(target, forward(joints)))


def _pose_error(target: Array, pose: Array) -> Array:
    """[B, 6]: position difference and rotation vector, base frame."""
    turn = matrix_to_rotvec(target[:, :3, :3] @ np.swapaxes(pose[:, :3, :3], 1, 2))
    return np.concatenate([target[:, :3, 3] - pose[:, :3, 3], turn], axis=1)


def _converged(error: Array) -> NDArray[np.bool_]:
    return np.asarray(
        (np.linalg.norm(error[:, :3], axis=1) < 5e-4) & (np.linalg.norm(error[:, 3:], axis=1) < 2e-3), dtype=bool
    )


def _newton_step(joints: Array, frames: Array, error: Array, rest_gain: float) -> Array:
    axes = frames[:, :7, :3, 2]  # every joint turns about its own z
    arms = frames[:, 7:, :3, 3] - frames[:, :7, :3, 3]
    jacobian = np.concatenate([np.cross(axes, arms), axes], axis=2).swapaxes(1, 2)  # [B, 6, 7]
    pseudo = jacobian.swapaxes(1, 2) @ np.linalg.inv(jacobian @ jacobian.swapaxes(1, 2) + 1e-5 * np.eye(6))
    null = np.eye(7) - pseudo @ jacobian
    step = pseudo @ error[:, :, None] + null @ (rest_gain * (REST - joints))[:, :, None]
    return np.asarray(np.clip(joints + np.clip(step[:, :, 0], -0.3, 0.3), JOINT_LOW, JOINT_HIGH))
