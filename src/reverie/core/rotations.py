"""Rotations, in this one module: quaternions are wxyz with w >= 0 (or, at w = 0, the first non-zero part positive),
angles are radians, `rpy` is extrinsic x-y-z (R = Rz(yaw) Ry(pitch) Rx(roll)), `rot6d` is the first two COLUMNS of R,
column after column (Zhou et al. 2019, "On the Continuity of Rotation Representations", section B).

All functions take and return arrays with any leading dimensions; matrices are [..., 3, 3].
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def quat_canonical(quat: Array) -> Array:
    """[..., 4] wxyz -> the same rotation, of unit length, first non-zero part positive."""
    quat = np.asarray(quat, dtype=np.float64)
    quat = quat / np.linalg.norm(quat, axis=-1, keepdims=True)
    rounded = np.where(np.abs(quat) < 1e-9, 0.0, quat)
    first = np.argmax(rounded != 0, axis=-1)
    sign = np.sign(np.take_along_axis(rounded, first[..., None], axis=-1))
    return np.asarray(quat * sign)


def quat_to_matrix(quat: Array) -> Array:
    """[..., 4] wxyz -> [..., 3, 3]."""
    quat = np.asarray(quat, dtype=np.float64)
    w, x, y, z = np.moveaxis(quat / np.linalg.norm(quat, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quat(matrix: Array) -> Array:
    """[..., 3, 3] -> [..., 4] wxyz, canonical. Picks the largest of the four parts as pivot (Shepperd 1978)."""
    m = np.asarray(matrix, dtype=np.float64)
    trace = np.trace(m, axis1=-2, axis2=-1)
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    pivot = np.argmax(np.stack([trace, d0, d1, d2], axis=-1), axis=-1)
    a, b, c = m[..., 2, 1], m[..., 0, 2], m[..., 1, 0]
    at, bt, ct = m[..., 1, 2], m[..., 2, 0], m[..., 0, 1]
    candidates = np.stack(
        [
            np.stack([1 + trace, a - at, b - bt, c - ct], axis=-1),
            np.stack([a - at, 1 + d0 - d1 - d2, c + ct, b + bt], axis=-1),
            np.stack([b - bt, c + ct, 1 - d0 + d1 - d2, a + at], axis=-1),
            np.stack([c - ct, b + bt, a + at, 1 - d0 - d1 + d2], axis=-1),
        ],
        axis=-2,
    )
    return quat_canonical(np.take_along_axis(candidates, pivot[..., None, None], axis=-2)[..., 0, :])


def rpy_to_matrix(rpy: Array) -> Array:
    """[..., 3] roll, pitch, yaw -> [..., 3, 3]."""
    (cr, cp, cy), (sr, sp, sy) = (np.moveaxis(f(np.asarray(rpy, dtype=np.float64)), -1, 0) for f in (np.cos, np.sin))
    rows = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_rpy(matrix: Array) -> Array:
    """[..., 3, 3] -> [..., 3]; at pitch = +-pi/2 roll and yaw are not unique and roll is set to 0."""
    m = np.asarray(matrix, dtype=np.float64)
    cos_pitch = np.hypot(m[..., 0, 0], m[..., 1, 0])
    locked = cos_pitch < 1e-9
    roll = np.where(locked, 0.0, np.arctan2(m[..., 2, 1], m[..., 2, 2]))
    yaw = np.where(locked, np.arctan2(-m[..., 0, 1], m[..., 1, 1]), np.arctan2(m[..., 1, 0], m[..., 0, 0]))
    return np.stack([roll, np.arctan2(-m[..., 2, 0], cos_pitch), yaw], axis=-1)


def rotvec_to_matrix(rotvec: Array) -> Array:
    """[..., 3] axis times angle -> [..., 3, 3] (Rodrigues)."""
    rotvec = np.asarray(rotvec, dtype=np.float64)
    half = np.linalg.norm(rotvec, axis=-1, keepdims=True) / 2
    # sin(h)/h tends to 1: np.sinc is sin(pi x)/(pi x)
    return quat_to_matrix(np.concatenate([np.cos(half), rotvec / 2 * np.sinc(half / np.pi)], axis=-1))


def matrix_to_rotvec(matrix: Array) -> Array:
    """[..., 3, 3] -> [..., 3] with angle in [0, pi]."""
    quat = matrix_to_quat(matrix)
    sine = np.linalg.norm(quat[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, quat[..., :1])
    return np.asarray(quat[..., 1:] * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0))


def matrix_to_rot6d(matrix: Array) -> Array:
    """[..., 3, 3] -> [..., 6], first column then second column."""
    m = np.asarray(matrix, dtype=np.float64)
    return np.concatenate([m[..., :, 0], m[..., :, 1]], axis=-1)


def rot6d_to_matrix(rot6d: Array) -> Array:
    """[..., 6] -> [..., 3, 3] by Gram-Schmidt."""
    a, b = np.split(np.asarray(rot6d, dtype=np.float64), 2, axis=-1)
    x = a / np.linalg.norm(a, axis=-1, keepdims=True)
    b = b - (x * b).sum(axis=-1, keepdims=True) * x
    y = b / np.linalg.norm(b, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)
