"""The outline that a kind of thing at a pose would have in a calibrated camera.

A kind is a union of convex parts. The picture of a convex part is convex, so a pixel lies inside it if it lies inside
along every normal of the outline: normals of projected edges for flat sides, 16 fixed ones for round sides. An open
container looks from above like its convex hull: what one sees through the opening is its own inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from reverie.scenes.assets import CONTAINERS, OBJECTS, Geom

Array = NDArray[np.float64]
_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # [16, 2]


@dataclass(frozen=True, eq=False)
class Part:
    """points [V, 3] whose hull it is and directions of its straight edges [E, 3], metres, in the kind's frame."""

    points: Array
    edges: Array
    round: bool


def _turn(angle_rad: float) -> Array:
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _part(geom: Geom) -> Part:
    turn, centre = _turn(np.radians(geom.yaw_deg)), np.array(geom.pos)
    if geom.type == "box":
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        return Part(centre + signs * geom.size @ turn.T, turn.T, False)
    if geom.type == "cylinder":
        radius, half = geom.size
        rings = [np.column_stack([radius * _CIRCLE, np.full(16, z)]) for z in (-half, half)]
        return Part(centre + np.concatenate(rings), np.eye(3)[2:], True)
    sizes = np.array(geom.size * 3)[:3] if geom.type == "sphere" else np.array(geom.size)
    levels = [np.column_stack([np.cos(a) * _CIRCLE, np.full(16, np.sin(a))]) for a in np.linspace(-1.2, 1.2, 5)]
    return Part(centre + np.concatenate(levels) * sizes @ turn.T, np.zeros((0, 3)), True)


def _hull(parts: Sequence[Part]) -> Part:
    """One convex part around several. Round ones keep upright edges only: the fixed normals serve their many sides."""
    points, edges = (np.concatenate([getattr(p, name) for p in parts]) for name in ("points", "edges"))
    round_ = any(p.round for p in parts)
    kept = np.eye(3)[2:] if round_ else np.unique(np.round(edges, 6), axis=0)
    return Part(points[ConvexHull(points).vertices], kept, round_)


@cache
def parts_of(kind: str) -> tuple[Part, ...]:
    """The convex parts of an object or container kind."""
    if kind in CONTAINERS:
        return (_hull([_part(g) for g in CONTAINERS[kind].geoms]),)
    return tuple(_part(g) for g in OBJECTS[kind].geoms)


def margins(kind: str, poses: Array, matrix: Array, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far inside the outline each pixel lies, in pixels (negative outside): [N, Q].

    poses [N, 4] are x y z (of the underside's middle) and yaw in the base frame, matrix [3, 4] a camera's projection,
    pixels [Q, 2] are (u, v).
    """
    turns = np.zeros((len(poses), 3, 3))
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(poses[:, 3])
    turns[:, 1, 0] = np.sin(poses[:, 3])
    turns[:, 0, 1] = -turns[:, 1, 0]
    turns[:, 2, 2] = 1
    each = [_part_margins(part, turns, poses[:, :3], matrix, pixels) for part in parts_of(kind)]
    return np.max(each, axis=0) if len(each) > 1 else each[0]


def _part_margins(
    part: Part, turns: Array, at: Array, matrix: Array, pixels: NDArray[np.float32]
) -> NDArray[np.float32]:
    uv = _project(part.points @ turns.swapaxes(1, 2) + at[:, None], matrix)  # [N, V, 2]
    normals = _normals(part, turns, at, matrix)  # [N, D, 2]
    reach = np.einsum("nvi,ndi->ndv", uv, normals).max(-1)  # [N, D]
    normals, reach = normals.astype(np.float32), reach.astype(np.float32)
    inside = np.full((len(at), len(pixels)), np.inf, np.float32)
    for d in range(normals.shape[1]):
        np.minimum(inside, reach[:, d, None] - normals[:, d] @ pixels.T, out=inside)
    return inside


def _normals(part: Part, turns: Array, at: Array, matrix: Array) -> Array:
    """Outward normals of the outline, [N, D, 2]."""
    middle = (part.points.mean(0) @ turns.swapaxes(1, 2) + at)[:, None]  # [N, 1, 3]
    along = _project(middle + 0.01 * part.edges @ turns.swapaxes(1, 2), matrix) - _project(middle, matrix)  # [N, E, 2]
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
    flat = np.concatenate([across, -across], axis=1)
    return np.concatenate([flat, np.broadcast_to(_CIRCLE, (len(at), 16, 2))], axis=1) if part.round else flat


def _project(points: Array, matrix: Array) -> Array:
    """[..., 3] -> [..., 2]; points behind the camera land far outside."""
    uvw = points @ matrix[:, :3].T + matrix[:, 3]
    return np.asarray(uvw[..., :2] / np.maximum(uvw[..., 2:], 1e-3))
