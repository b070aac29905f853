"""Analysis by synthesis: how well the outline of a kind at a pose explains the pixels of its colour, and the best pose.

The match is an intersection over union, summed over the cameras, of the outline and of the pixels of the colour near
it; pixels hidden by the robot count nowhere. Knows outlines and views; knows nothing about where to begin the search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.policies.classical.shapes import margins
from reverie.policies.classical.views import View
from reverie.scenes.assets import CONTAINERS, OBJECTS, radius_of

Array = NDArray[np.float64]
_NEAR_PIXELS = 2.5  # a pixel of the colour within this distance of the outline should be explained by it
_STEPS_M = (0.008, 0.004, 0.002, 0.001)
_BORDER_M = 0.02


@dataclass(frozen=True)
class Window:
    """The pixels [Q, 2] of one view around a place, whether each shows the colour [Q], and its weight [Q]."""

    matrix: Array
    pixels: NDArray[np.float32]
    shown: NDArray[np.float32]
    weights: NDArray[np.float32]


def yaw_period(kind: str) -> float:
    """A turn by it looks the same; 0 if any does. Containers count as round or square."""
    if kind in OBJECTS:
        return OBJECTS[kind].yaw_period_rad
    if CONTAINERS[kind].round:
        return 0.0
    x, y = CONTAINERS[kind].inner_m
    return np.pi / 2 if x == y else np.pi


def height(kind: str) -> float:
    return OBJECTS[kind].height_m if kind in OBJECTS else CONTAINERS[kind].rim_m


def windows(views: Sequence[View], color: int, kind: str, at: Array) -> list[Window]:
    """Around a thing of `kind` with its underside at `at` [3], in each view that shows the place."""
    reach = radius_of(kind) + _BORDER_M
    corners = at + np.array([[x, y, z] for x in (-reach, reach) for y in (-reach, reach) for z in (0, height(kind))])
    found = [_window(view, color, corners) for view in views]
    return [w for w in found if w is not None]


def _window(view: View, color: int, corners: Array) -> Window | None:
    uvw = corners @ view.matrix[:, :3].T + view.matrix[:, 3]
    if (uvw[:, 2] < 0.02).any():
        return None
    uv = uvw[:, :2] / uvw[:, 2:]
    rows, columns = view.labels.shape
    left, top = np.maximum(np.floor(uv.min(0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(uv.max(0)) + 1, [columns, rows]).astype(int)
    if left >= right or top >= bottom:
        return None
    v, u = np.mgrid[top:bottom, left:right]
    box = slice(top, bottom), slice(left, right)
    pixels = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32)
    return Window(view.matrix, pixels, view.mask(color)[box].ravel(), view.weights(color)[box].ravel())


def overlap(kind: str, poses: Array, seen: Sequence[Window]) -> tuple[Array, Array]:
    """Match in 0..1 of each pose [N, 4] and how many pixels of its outline could be judged, both [N]."""
    inter, union, visible = (np.zeros(len(poses)) for _ in range(3))
    for window in seen:
        margin = margins(kind, poses, window.matrix, window.pixels)
        cover = np.clip(margin + 0.5, 0, 1) @ np.stack([window.weights, window.weights * window.shown], axis=1)
        near = np.clip(margin + 0.5 + _NEAR_PIXELS, 0, 1) @ (window.weights * window.shown)
        inter += cover[:, 1]
        union += cover[:, 0] + near - cover[:, 1]
        visible += cover[:, 0]
    return inter / np.maximum(union, 1e-6), visible


def scan(kind: str, at: Array, seen: Sequence[Window]) -> tuple[Array, float]:
    """The best pose [4] among a few turns and shifts at `at` [3], and its match."""
    period = yaw_period(kind)
    n_turns = 1 if period == 0 else round(period / (np.pi / 8)) if period < 4 else 12
    shifts = 0.01 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    return _best(kind, _poses(at[:2] + shifts, at[2], np.arange(n_turns) * period / n_turns), seen)


def refine(kind: str, pose: Array, seen: Sequence[Window]) -> tuple[Array, float]:
    """Climb from `pose` [4] with shrinking steps in x, y and yaw."""
    period, score = yaw_period(kind), 0.0
    grid = np.array([[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)])
    turn = np.pi / 16 if period else 0.0
    for step in _STEPS_M:
        yaws = pose[3] + turn * (np.array([-1, 0, 1]) if turn else np.zeros(1))
        pose, score = _best(kind, _poses(pose[:2] + step * grid, pose[2], yaws), seen)
        turn /= 2
    return pose, score


def _poses(spots: Array, z: float, yaws: Array) -> Array:
    """Every spot [S, 2] with every yaw [Y] -> [S * Y, 4]."""
    n = len(yaws)
    spots = np.repeat(spots, n, axis=0)
    return np.column_stack([spots, np.full(len(spots), z), np.tile(yaws, len(spots) // n)])


def _best(kind: str, poses: Array, seen: Sequence[Window]) -> tuple[Array, float]:
    match, _ = overlap(kind, poses, seen)
    best = int(match.argmax())
    return poses[best], float(match[best])
