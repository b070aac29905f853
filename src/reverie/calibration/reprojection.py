"""Reprojection: a camera that is guessed, the pixels that it would have seen, and the best guess near one.

Square pixels; the principal point is given or in the middle of the image. It decides nothing about clicks; see `fitting`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from reverie.calibration.camera import FittedCamera
from reverie.core.rotations import rotvec_to_matrix
from reverie.core.specs import CameraSpec

Array = NDArray[np.float64]

ROUNDED_PX = 12**-0.5
"""Standard deviation of a pixel's number that was rounded to a whole one."""
LOOSE_PX, FAR_PX = 1 / 96, 1 / 24
"""As shares of the image's width: where the loss turns from squares to lines; a click that far off does not count."""
FOCAL = (0.3, 8.0)
"""Focal length in widths of the image: fields of view from 118 to 7 degrees."""
FIRST_FOCALS = (0.7, 1.4, 2.8)
_NEAR_M = 0.01


@dataclass(frozen=True)
class Known:
    """Of a camera's lens, in pixels: focal length, and principal point (u, v)."""

    focal_px: float | None = None
    principal_px: tuple[float, float] | None = None


class Guess(NamedTuple):
    """A solution: rotation [3, 3] and shift [3] from base (or link) to camera, focal length in pixels, the thing [3]."""

    rotation: Array
    shift: Array
    focal: float
    thing: Array


class Reprojection:
    """pixels [N, 2] and points as `fitting.fit_camera` takes them; rides: on a link, whose poses the points are."""

    def __init__(self, spec: CameraSpec, pixels: Array, points: Array, rides: bool, known: Known) -> None:
        self.pixels, self.width, self._rides, self._known = pixels, spec.width, rides, known
        self._points = np.linalg.inv(points) if rides else points
        middle = ((spec.width - 1) / 2, (spec.height - 1) / 2)
        self._centre = np.array(known.principal_px or middle)
        self._name = spec.name

    def starts(self) -> list[Guess]:
        """Sixty rotations that are spread evenly, with each focal length, best first."""
        focals = [self._known.focal_px] if self._known.focal_px else [f * self.width for f in FIRST_FOCALS]
        turns = Rotation.create_group("I").as_matrix()
        guesses = [self._placed(turn, focal) for turn in turns for focal in focals]
        return sorted(guesses, key=self.loss)

    def _placed(self, rotation: Array, focal: float) -> Guess:
        """Shift (and thing) by the linear equations that rotation and focal length leave: (u - c) z = f x."""
        turned, constant = self._linear(rotation)  # [N, 3, K], [N, 3]
        rays = (self.pixels - self._centre) / focal
        left = np.concatenate([turned[:, i] - rays[:, i, None] * turned[:, 2] for i in (0, 1)])
        right = np.concatenate([rays[:, i] * constant[:, 2] - constant[:, i] for i in (0, 1)])
        found = np.linalg.lstsq(left, right, rcond=None)[0]
        return Guess(rotation, found[:3], focal, found[3:] if self._rides else np.zeros(3))

    def _linear(self, rotation: Array) -> tuple[Array, Array]:
        """Points in the camera's frame are turned @ unknowns + constant."""
        n = len(self.pixels)
        shift = np.broadcast_to(np.eye(3), (n, 3, 3))
        if not self._rides:
            return shift, self._points @ rotation.T
        return np.concatenate([shift, rotation @ self._points[:, :3, :3]], axis=2), self._points[:, :3, 3] @ rotation.T

    def solve(self, guess: Guess, rows: NDArray[np.bool_] | None = None) -> Guess:
        rows = np.ones(len(self.pixels), np.bool_) if rows is None else rows
        unpack = self._unpack(guess)
        low = np.full(self._n_unknown, -np.inf)
        high = -low
        if not self._known.focal_px:
            low[6], high[6] = np.log(np.array(FOCAL) * self.width)
        begin = np.clip(self._pack(guess), low + 1e-9, high - 1e-9)
        found = least_squares(
            lambda x: self._residuals(unpack(x), rows), begin, bounds=(low, high), x_scale="jac",
            loss="soft_l1", f_scale=LOOSE_PX * self.width, max_nfev=200,
        )  # fmt: skip
        return unpack(found.x)

    @property
    def _n_unknown(self) -> int:
        return 6 + (self._known.focal_px is None) + 3 * self._rides

    def _pack(self, guess: Guess) -> Array:
        focal = [] if self._known.focal_px else [np.log(guess.focal)]
        return np.concatenate([np.zeros(3), guess.shift, focal, guess.thing if self._rides else []])

    def _unpack(self, guess: Guess) -> Callable[[Array], Guess]:
        """Rotations are measured from the guess, so that they are small."""

        def unpack(x: Array) -> Guess:
            focal = self._known.focal_px or float(np.exp(x[6]))
            thing = x[-3:] if self._rides else np.zeros(3)
            return Guess(rotvec_to_matrix(x[:3]) @ guess.rotation, x[3:6], focal, thing)

        return unpack

    def _residuals(self, guess: Guess, rows: NDArray[np.bool_]) -> Array:
        return np.asarray((self.project(guess) - self.pixels)[rows].ravel())

    def inside(self, guess: Guess) -> Array:
        """[N, 3], in the camera's frame."""
        turned, constant = self._linear(guess.rotation)
        unknown = np.concatenate([guess.shift, guess.thing]) if self._rides else guess.shift
        return np.asarray(turned @ unknown + constant)

    def project(self, guess: Guess) -> Array:
        """[N, 2]; what lies behind the camera is thrown far out, on its side."""
        inside = self.inside(guess)
        return np.asarray(guess.focal * inside[:, :2] / np.maximum(inside[:, 2:], _NEAR_M) + self._centre)

    def errors(self, guess: Guess) -> Array:
        return np.asarray(np.linalg.norm(self.project(guess) - self.pixels, axis=1))

    def loss(self, guess: Guess) -> float:
        """As it is minimised."""
        return float(np.sum(np.sqrt(1 + (self.errors(guess) / (LOOSE_PX * self.width)) ** 2) - 1))

    def bounded(self, guess: Guess) -> float:
        """Squares of errors, none larger than that of a click that is left out: what the best of several fits is chosen by."""
        return float(np.sum(np.minimum(self.errors(guess), FAR_PX * self.width) ** 2))

    def camera(self, guess: Guess, on: str | None) -> FittedCamera:
        intrinsics = np.array([[guess.focal, 0, self._centre[0]], [0, guess.focal, self._centre[1]], [0, 0, 1.0]])
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = guess.rotation.T, -guess.rotation.T @ guess.shift
        return FittedCamera(self._name, intrinsics, pose, on)

    def position_sd(self, guess: Guess, rows: NDArray[np.bool_]) -> float:
        """First-order propagation of the errors of clicks to the camera's place; infinite where clicks do not tell it."""
        unpack, x = self._unpack(guess), self._pack(guess)
        bends = _jacobian(lambda v: self._residuals(unpack(v), rows), x)
        moves = _jacobian(lambda v: -unpack(v).rotation.T @ unpack(v).shift, x)
        freedom = max(len(bends) - len(x), 1)
        variance = max(ROUNDED_PX**2, float(np.sum(self._residuals(guess, rows) ** 2)) / freedom)
        if np.linalg.cond(bends) > 1e12:
            return float("inf")
        place = moves @ np.linalg.inv(bends.T @ bends) @ moves.T * variance
        return float(np.sqrt(np.linalg.eigvalsh(place)[-1]))


def _jacobian(function: Callable[[Array], Array], x: Array) -> Array:
    """Central differences, [outputs, inputs]."""
    steps = np.eye(len(x)) * 1e-5
    return np.stack([(function(x + s) - function(x - s)) / 2e-5 for s in steps], axis=1)
