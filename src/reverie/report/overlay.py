"""The commanded pose, drawn over frames: a sketch of the gripper projected into every calibrated camera.

What a policy asked for stands beside what a world shows. Absent where cameras are uncalibrated or poses are unnamed.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode, Observations, ObservationSpec
from reverie.core.rotations import quat_to_matrix
from reverie.evaluation.clips import layout

Array = NDArray[np.float64]
Polyline = list[list[float]]

PALM_M, FINGER_M, STROKE_M = 0.10, 0.05, 0.08
"""Size of the sketch: wrist to fingertips, length of the fingers, their distance when fully open."""


def overlay(episode: Episode) -> list[list[Polyline]] | None:
    """For each frame polylines in pixels of the tiled image, or None."""
    return lines_over(episode.observations, episode.observation_spec)


def lines_over(seen: Observations, spec: ObservationSpec) -> list[list[Polyline]] | None:
    """The same of observations [F, ...]."""
    matrices, commanded, names = seen.extras.get("camera_matrices"), seen.commanded, spec.commanded
    if matrices is None or commanded is None or not {"x", "y", "z"} <= set(names):
        return None
    lines = gripper_lines(commanded.astype(np.float64), names)  # [F, L, P, 3]
    frames: list[list[Polyline]] = [[] for _ in range(len(commanded))]
    places = layout(spec)
    for camera, place in enumerate(places.values()):
        pixels, depth = project(matrices[:, camera].astype(np.float64), lines)
        for frame, (shapes, depths) in enumerate(zip(pixels, depth, strict=True)):
            frames[frame] += [p for s, d in zip(shapes, depths, strict=True) if (p := _within(s, d, place))]
    return frames


def gripper_lines(state: Array, names: tuple[str, ...]) -> Array:
    """Commanded state [F, D] -> polylines [F, 3, 3, 3] (shaft, two fingers) in metres; a dot where no rotation is named."""

    def column(name: str, default: float) -> Array:
        return state[:, names.index(name)] if name in names else np.full(len(state), default)

    tcp = np.stack([column(n, 0.0) for n in "xyz"], axis=1)  # [F, 3]
    if not {"qw", "qx", "qy", "qz"} <= set(names):
        return np.broadcast_to(tcp[:, None, None], (len(state), 1, 1, 3))
    rotation = quat_to_matrix(np.stack([column(n, 0.0) for n in ("qw", "qx", "qy", "qz")], axis=1))
    side, along = rotation[:, :, 1], rotation[:, :, 2]  # fingers close along y, the hand points along z
    half = side * (column("opening", 1.0) * STROKE_M / 2)[:, None]
    root, knuckle = tcp - PALM_M * along, tcp - FINGER_M * along
    shaft = np.stack([root, (root + knuckle) / 2, knuckle], axis=1)
    fingers = [np.stack([knuckle, knuckle + sign * half, tcp + sign * half], axis=1) for sign in (1, -1)]
    return np.stack([shaft, *fingers], axis=1)


def project(matrices: Array, points: Array) -> tuple[Array, Array]:
    """[F, 3, 4] and [F, L, P, 3] -> pixels [F, L, P, 2], depth [F, L, P]."""
    homogeneous = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    uvw = np.einsum("fij,flpj->flpi", matrices, homogeneous)
    depth = uvw[..., 2]
    return uvw[..., :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)[..., None], depth


def _within(pixels: Array, depth: Array, place: tuple[int, int, int, int]) -> Polyline:
    """The part of a polyline in front of the camera and inside its cell of the tile; pixel centres are whole numbers."""
    top, left, height, width = place
    seen = (depth > 0) & (pixels > -0.5).all(-1) & (pixels[:, 0] < width - 0.5) & (pixels[:, 1] < height - 0.5)
    return [[round(float(u) + left + 0.5, 1), round(float(v) + top + 0.5, 1)] for u, v in pixels[seen]]
