"""Where the named things are, from the truth that a simulator records with every frame: what grounding learns from.

All arrays have one row per sample; what is not known has its flag False, and values 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]


def slots(things: NDArray[np.int64], poses: Array | None, matrices: Array | None, sizes: NDArray[np.int64], symmetry: Array) -> dict[str, NDArray[Any]]:  # fmt: skip
    """things [B, S]: places of the named things (-1 unknown); poses [B, O, 7], NaN where there is no thing; matrices
    [B, V, 3, 4] and sizes [V, 2] (width, height); symmetry [B, O] of a turn."""
    b, s = things.shape
    n_views = len(sizes)
    if poses is None:
        return _unknown(b, s, n_views)
    at = np.take_along_axis(poses, np.maximum(things, 0)[..., None], axis=1)  # [B, S, 7]
    known = (things >= 0) & np.isfinite(at).all(-1)
    at = np.where(known[..., None], at, np.array([0, 0, 0, 1, 0, 0, 0], np.float32))
    turns = np.where(known, np.take_along_axis(symmetry, np.maximum(things, 0), axis=1), 0)
    points, inside = _project(at[..., :3], matrices, sizes)
    mapped = np.repeat(known[:, None], n_views, axis=1) & (matrices is not None)
    angle = turns * yaw(at[..., 3:])
    return {
        "slot_positions_m": at[..., :3].astype(np.float32),
        "slot_known": known,
        "slot_points": np.where(inside[..., None], points, 0).astype(np.float32),
        "slot_inside": inside & mapped,
        "slot_mapped": mapped,
        "slot_yaws": np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32),
        "slot_turned": known & (turns > 0),
    }


def yaw(quat: Array) -> Array:
    """[..., 4] wxyz -> rotation about the vertical axis (Z of extrinsic x-y-z)."""
    w, x, y, z = np.moveaxis(quat, -1, 0)
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _project(positions: Array, matrices: Array | None, sizes: NDArray[np.int64]) -> tuple[Array, Flags]:
    """[B, S, 3] into every view: fractions of width and height [B, V, S, 2], and whether they are in the image."""
    b, s = positions.shape[:2]
    if matrices is None:
        return np.zeros((b, len(sizes), s, 2), np.float32), np.zeros((b, len(sizes), s), np.bool_)
    homogeneous = np.concatenate([positions, np.ones_like(positions[..., :1])], axis=-1)
    uvw = np.einsum("bvij,bsj->bvsi", matrices, homogeneous)
    depth = uvw[..., 2]
    pixels = uvw[..., :2] / np.where(depth > 1e-6, depth, 1)[..., None]
    points = (pixels + 0.5) / sizes[:, None]  # the centre of the upper left pixel is (0, 0)
    inside = (depth > 1e-6) & (points >= 0).all(-1) & (points < 1).all(-1)
    return points.astype(np.float32), inside


def _unknown(b: int, s: int, n_views: int) -> dict[str, NDArray[Any]]:
    no = np.zeros((b, s), np.bool_)
    return {
        "slot_positions_m": np.zeros((b, s, 3), np.float32),
        "slot_known": no,
        "slot_points": np.zeros((b, n_views, s, 2), np.float32),
        "slot_inside": np.zeros((b, n_views, s), np.bool_),
        "slot_mapped": np.zeros((b, n_views, s), np.bool_),
        "slot_yaws": np.zeros((b, s, 2), np.float32),
        "slot_turned": no,
    }
