"""Finding a thing by colour and kind: where could it stand, and which place explains the pictures best.

Places to begin with come from a visual hull: cells of the table whose column projects onto the colour in every camera
that can see it. Each is then fitted by analysis by synthesis; the best match wins. Knows nothing about robots or plans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, label, uniform_filter

from reverie.policies.classical import fitting
from reverie.policies.classical.colours import NAMES, NEUTRAL
from reverie.policies.classical.views import View
from reverie.scenes.assets import radius_of

Array = NDArray[np.float64]
_CELL_M = 0.01
_X = np.arange(0.27, 0.665, _CELL_M)
_Y = np.arange(-0.26, 0.265, _CELL_M)
_GRID = np.stack(np.meshgrid(_X, _Y, indexing="ij"), axis=-1)  # [X, Y, 2]
_UNSEEN = 0.8  # a camera that cannot see a cell neither proves nor rules out
_LOW_M = 0.01
_OCCUPIED, _MIN_CONTRAST = 0.25, 0.05
_MAX_SEEDS, _MAX_PEAKS, _REFINED = 5, 2, 2
_MIN_PIXELS = 20  # of about 100 that the smallest kind has in three views; less proves nothing
_CLOSE = 0.2  # refining adds up to 0.2 to a match


@dataclass(frozen=True)
class Detection:
    """Pose [4]: x y z of the underside's middle and yaw (m, rad); match 0..1; pixels of its outline that were judged."""

    pose: Array
    match: float
    visible: float


def find(views: Sequence[View], kind: str, color: str) -> Detection | None:
    """The best place of the kind and colour on the table, or None if the colour is nowhere or hidden."""
    number = NAMES.index(color)
    seeds = _seeds(_occupancy(views, number, fitting.height(kind) / 2), kind)
    scans = []
    for seed in seeds:
        seen = fitting.windows(views, number, kind, seed)
        pose, match = fitting.scan(kind, seed, seen)
        scans.append((match, pose))
    scans.sort(key=lambda s: -s[0])
    close = [pose for match, pose in scans if match > scans[0][0] - _CLOSE][:_REFINED]
    fits = [_refined(views, number, kind, pose) for pose in close]
    return max((d for d in fits if d.visible >= _MIN_PIXELS), key=lambda d: d.match, default=None)


def match_near(views: Sequence[View], kind: str, color: str, pose: Array) -> float:
    """How well a thing at about `pose` [4] (it may hang in the air) explains the pictures, 0..1."""
    seen = fitting.windows(views, NAMES.index(color), kind, pose[:3])
    shifts = np.array([[x, y, z, 0] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-2, -1, 0)])
    return float(fitting.overlap(kind, pose + 0.01 * shifts, seen)[0].max())


def occupied(views: Sequence[View]) -> Array:
    """Middles [N, 2] of the cells of the table on which anything coloured stands."""
    return np.asarray(_GRID[_occupancy(views, NEUTRAL, _LOW_M) > _OCCUPIED])


def _refined(views: Sequence[View], color: int, kind: str, pose: Array) -> Detection:
    seen = fitting.windows(views, color, kind, pose[:3])
    pose, match = fitting.refine(kind, pose, seen)
    _, visible = fitting.overlap(kind, pose[None], seen)
    return Detection(pose, match, float(visible[0]))


def _occupancy(views: Sequence[View], color: int, z: float) -> Array:
    """Evidence in 0..1 that the colour is at height z above each cell, [X, Y]; `color` NEUTRAL means any colour."""
    evidence = np.ones(_GRID.shape[:2])
    points = np.concatenate([_GRID, np.full((*_GRID.shape[:2], 1), z)], axis=-1)
    for view in views:
        uvw = points @ view.matrix[:, :3].T + view.matrix[:, 3]
        u, v = np.moveaxis(np.rint(uvw[..., :2] / np.maximum(uvw[..., 2:], 1e-3)), -1, 0).astype(int)
        rows, columns = view.labels.shape
        inside = (u >= 0) & (u < columns) & (v >= 0) & (v < rows) & (uvw[..., 2] > 0)
        u, v = np.clip(u, 0, columns - 1), np.clip(v, 0, rows - 1)
        if color == NEUTRAL:
            shown, weight = (view.labels != NEUTRAL).astype(float), (~view.robot).astype(float)
        else:
            shown, weight = view.mask(color), view.weights(color)
        trust = np.where(inside, weight[v, u], 0.0)
        evidence *= trust * shown[v, u] + (1 - trust) * _UNSEEN
    return evidence


def _seeds(occupancy: Array, kind: str) -> list[Array]:
    """Places [3] on the table: the middle of every patch of about the kind's size, then the peaks of larger ones."""
    footprint = np.pi * (radius_of(kind) / _CELL_M) ** 2
    patches, n = label(occupancy > _OCCUPIED)
    sizes = np.bincount(patches.ravel(), minlength=n + 1)[1:]
    fitting_ones = [i + 1 for i in np.argsort(-sizes) if 0.1 * footprint <= sizes[i] <= 2 * footprint]
    middles = center_of_mass(np.ones_like(patches), patches, fitting_ones)
    seeds = [np.array([_X[0] + _CELL_M * x, _Y[0] + _CELL_M * y, 0.0]) for x, y in middles][:_MAX_SEEDS]
    large = np.isin(patches, np.flatnonzero(sizes > 2 * footprint) + 1)
    return seeds + _peaks(occupancy * large, radius_of(kind), min(_MAX_PEAKS, _MAX_SEEDS - len(seeds)))


def _peaks(occupancy: Array, radius_m: float, n: int) -> list[Array]:
    """Up to n peaks of the occupancy within about the footprint over that around it."""
    inner = max(3, round(1.2 * radius_m / _CELL_M))
    outer = inner + 4
    near, wide = (uniform_filter(occupancy, size, mode="constant") * size**2 for size in (inner, outer))
    contrast = near / inner**2 - (wide - near) / (outer**2 - inner**2)
    found: list[Array] = []
    for _ in range(n):
        x, y = np.unravel_index(int(contrast.argmax()), contrast.shape)
        if contrast[x, y] < _MIN_CONTRAST:
            break
        found.append(np.array([*_GRID[x, y], 0.0]))
        contrast[np.linalg.norm(_GRID - _GRID[x, y], axis=-1) < max(0.03, 0.8 * radius_m)] = 0
    return found
