"""fit_camera: where a camera stands and how long its lens is, from points on a robot and the pixels they were seen at.

Square pixels; the principal point is given or in the middle of the image. Robust least squares on pixels (soft L1, scipy) from
several starts. A camera that stands still is told where the clicked point of the robot was, in the base frame. One that rides on
a link (eye in hand) sees one thing that stands still, nobody knows where: its place is fitted, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from reverie.calibration.camera import FittedCamera
from reverie.core.errors import ReverieError
from reverie.core.rotations import rotvec_to_matrix
from reverie.core.specs import CameraSpec

Array = NDArray[np.float64]

MIN_CLICKS = {False: 6, True: 8}
"""Rides on a link: clicks. Seven numbers of a camera are unknown, ten with the place of the thing; a click tells two."""
ROUNDED_PX = 12**-0.5
"""Standard deviation of a pixel's number that was rounded to a whole one."""
LOOSE_PX, FAR_PX, LARGE_PX = 1 / 96, 1 / 24, 1 / 32
"""As shares of the image's width: where the loss turns from squares to lines; a click that far off is left out; a fit that is so
wrong on the others is refused."""
FOCAL = (0.3, 8.0)
"""Focal length in widths of the image: fields of view from 118 to 7 degrees."""
FIRST_FOCALS = (0.7, 1.4, 2.8)
N_BEST = 6
SPREAD_M, ACROSS_M = 0.03, 0.015
VAGUE, UNKNOWN = 0.25, 1.0
"""A place that is not known better than this share of the distance is remarked on; refused."""
_NEAR_M = 0.01


@dataclass(frozen=True)
class Known:
    """Of a camera's lens, in pixels: focal length, and principal point (u, v)."""

    focal_px: float | None = None
    principal_px: tuple[float, float] | None = None


@dataclass(frozen=True)
class Fit:
    """pixels [N, 2] as reprojected; errors_px [N]; kept [N]: clicks that count; left_out_px [N]: the error of each when it is
    left out of the fit (not a number for those that were); position_sd_m: of the camera, along the axis that is known worst,
    if clicks err as these do, by rounding at least; distance_m: from the camera to what it was shown; seen: the place of the thing,
    for a camera that rides on a link."""

    camera: FittedCamera
    pixels: Array
    errors_px: Array
    kept: NDArray[np.bool_]
    left_out_px: Array
    position_sd_m: float
    distance_m: float
    seen: Array | None = None

    @property
    def is_vague(self) -> bool:
        """The camera may be nearer, with a shorter lens, or farther: reprojection is right, distance is not known."""
        return self.position_sd_m > VAGUE * self.distance_m

    @property
    def rms_px(self) -> float:
        return _rms(self.errors_px[self.kept])

    @property
    def left_out_rms_px(self) -> float:
        return _rms(self.left_out_px[self.kept])


def fit_camera(
    spec: CameraSpec, pixels: Array, points: Array, on: str | None = None, known: Known | None = None
) -> Fit:
    """pixels [N, 2]; points: where the robot's clicked point was, [N, 3] in the base frame, or, for a camera on the link `on`,
    that link's poses [N, 4, 4].

    every start: a rotation and a focal length; the rest follows from linear equations
    the best few are fitted, the best of these again without each click; what is far off the best of all is left out for good
    Errors: ReverieError for too few clicks, clicks in one place or line, a fit that does not fit or is not determined.
    """
    problem = _Problem(spec, pixels, points, on is not None, known or Known())
    _check_spread(spec.name, points, on is not None, len(pixels))
    best = _without_one(problem, min((problem.solve(s) for s in problem.starts()[:N_BEST]), key=problem.bounded))
    kept = problem.errors(best) < max(FAR_PX * spec.width, 3 * float(np.median(problem.errors(best))))
    _check_enough(spec.name, int(kept.sum()), on is not None, "that agree with each other")
    best = problem.solve(best, kept)
    fit = Fit(
        camera=problem.camera(best, on),
        pixels=problem.project(best),
        errors_px=problem.errors(best),
        kept=kept,
        left_out_px=np.array([_left_out(problem, best, kept, i) for i in range(len(pixels))]),
        position_sd_m=problem.position_sd(best, kept),
        distance_m=float(np.median(problem.inside(best)[kept, 2])),
        seen=best.thing if on else None,
    )
    _check_fit(spec, fit, on)
    return fit


class _Guess(NamedTuple):
    """A solution: rotation [3, 3] and shift [3] from base (or link) to camera, focal length in pixels, the thing [3]."""

    rotation: Array
    shift: Array
    focal: float
    thing: Array


class _Problem:
    def __init__(self, spec: CameraSpec, pixels: Array, points: Array, rides: bool, known: Known) -> None:
        self.pixels, self.width, self._rides, self._known = pixels, spec.width, rides, known
        self._points = np.linalg.inv(points) if rides else points
        middle = ((spec.width - 1) / 2, (spec.height - 1) / 2)
        self._centre = np.array(known.principal_px or middle)
        self._name = spec.name

    def starts(self) -> list[_Guess]:
        """Sixty rotations that are spread evenly, with each focal length, best first."""
        focals = [self._known.focal_px] if self._known.focal_px else [f * self.width for f in FIRST_FOCALS]
        turns = Rotation.create_group("I").as_matrix()
        guesses = [self._placed(turn, focal) for turn in turns for focal in focals]
        return sorted(guesses, key=self.loss)

    def _placed(self, rotation: Array, focal: float) -> _Guess:
        """Shift (and thing) by the linear equations that rotation and focal length leave: (u - c) z = f x."""
        turned, constant = self._linear(rotation)  # [N, 3, K], [N, 3]
        rays = (self.pixels - self._centre) / focal
        left = np.concatenate([turned[:, i] - rays[:, i, None] * turned[:, 2] for i in (0, 1)])
        right = np.concatenate([rays[:, i] * constant[:, 2] - constant[:, i] for i in (0, 1)])
        found = np.linalg.lstsq(left, right, rcond=None)[0]
        return _Guess(rotation, found[:3], focal, found[3:] if self._rides else np.zeros(3))

    def _linear(self, rotation: Array) -> tuple[Array, Array]:
        """Points in the camera's frame are turned @ unknowns + constant."""
        n = len(self.pixels)
        shift = np.broadcast_to(np.eye(3), (n, 3, 3))
        if not self._rides:
            return shift, self._points @ rotation.T
        return np.concatenate([shift, rotation @ self._points[:, :3, :3]], axis=2), self._points[:, :3, 3] @ rotation.T

    def solve(self, guess: _Guess, rows: NDArray[np.bool_] | None = None) -> _Guess:
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

    def _pack(self, guess: _Guess) -> Array:
        focal = [] if self._known.focal_px else [np.log(guess.focal)]
        return np.concatenate([np.zeros(3), guess.shift, focal, guess.thing if self._rides else []])

    def _unpack(self, guess: _Guess) -> Callable[[Array], _Guess]:
        """Rotations are measured from the guess, so that they are small."""

        def unpack(x: Array) -> _Guess:
            focal = self._known.focal_px or float(np.exp(x[6]))
            thing = x[-3:] if self._rides else np.zeros(3)
            return _Guess(rotvec_to_matrix(x[:3]) @ guess.rotation, x[3:6], focal, thing)

        return unpack

    def _residuals(self, guess: _Guess, rows: NDArray[np.bool_]) -> Array:
        return np.asarray((self.project(guess) - self.pixels)[rows].ravel())

    def inside(self, guess: _Guess) -> Array:
        """[N, 3], in the camera's frame."""
        turned, constant = self._linear(guess.rotation)
        unknown = np.concatenate([guess.shift, guess.thing]) if self._rides else guess.shift
        return np.asarray(turned @ unknown + constant)

    def project(self, guess: _Guess) -> Array:
        """[N, 2]; what lies behind the camera is thrown far out, on its side."""
        inside = self.inside(guess)
        return np.asarray(guess.focal * inside[:, :2] / np.maximum(inside[:, 2:], _NEAR_M) + self._centre)

    def errors(self, guess: _Guess) -> Array:
        return np.asarray(np.linalg.norm(self.project(guess) - self.pixels, axis=1))

    def loss(self, guess: _Guess) -> float:
        """As it is minimised."""
        return float(np.sum(np.sqrt(1 + (self.errors(guess) / (LOOSE_PX * self.width)) ** 2) - 1))

    def bounded(self, guess: _Guess) -> float:
        """Squares of errors, none larger than that of a click that is left out: what the best of several fits is chosen by."""
        return float(np.sum(np.minimum(self.errors(guess), FAR_PX * self.width) ** 2))

    def camera(self, guess: _Guess, on: str | None) -> FittedCamera:
        intrinsics = np.array([[guess.focal, 0, self._centre[0]], [0, guess.focal, self._centre[1]], [0, 0, 1.0]])
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = guess.rotation.T, -guess.rotation.T @ guess.shift
        return FittedCamera(self._name, intrinsics, pose, on)

    def position_sd(self, guess: _Guess, rows: NDArray[np.bool_]) -> float:
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


def _without_one(problem: _Problem, best: _Guess) -> _Guess:
    """A single click that is quite wrong can hold a fit; the one without it is then better on all others."""
    n = len(problem.pixels)
    return min([best, *(problem.solve(best, np.arange(n) != i) for i in range(n))], key=problem.bounded)


def _left_out(problem: _Problem, best: _Guess, kept: NDArray[np.bool_], i: int) -> float:
    if not kept[i]:
        return float("nan")
    others = kept.copy()
    others[i] = False
    return float(problem.errors(problem.solve(best, others))[i])


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _check_enough(name: str, n: int, rides: bool, which: str = "") -> None:
    if n < MIN_CLICKS[rides]:
        raise ReverieError(
            f"camera {name!r}: found {n} clicks{f' {which}' if which else ''}, expected at least {MIN_CLICKS[rides]} (12 are "
            "good): click more frames, spread over what the robot can reach"
        )


def _check_spread(name: str, points: Array, rides: bool, n: int) -> None:
    _check_enough(name, n, rides)
    places = points[:, :3, 3] if rides else points
    spread = np.linalg.svd(places - places.mean(0), compute_uv=False) / np.sqrt(n)
    if spread[0] < SPREAD_M or spread[1] < ACROSS_M:
        how = "in one place" if spread[0] < SPREAD_M else "on one line"
        raise ReverieError(
            f"camera {name!r}: the robot was {how} in all {n} clicked frames (spread {spread[0] * 100:.1f} cm, "
            f"{spread[1] * 100:.1f} cm across): click frames in which it is far apart, in height and depth too"
        )


def _check_fit(spec: CameraSpec, fit: Fit, on: str | None) -> None:
    rms, most = fit.rms_px, LARGE_PX * spec.width
    if rms > most or fit.kept.mean() < 0.6:
        left_out = f", with {int((~fit.kept).sum())} of {len(fit.kept)} clicks left out" if not fit.kept.all() else ""
        raise ReverieError(
            f"camera {spec.name!r}: clicks are {rms:.1f} px off the best camera{left_out}, expected at most {most:.1f}. Likely: "
            "the clicked point is not that of --link (or --point); joints are in another order, sign, or in degrees (--joints, "
            f"--degrees); the camera {'is not on that link' if on else 'was moved, or rides on the arm'}; frames and joints "
            "were not logged at the same moment"
        )
    far = fit.distance_m
    if not fit.position_sd_m < UNKNOWN * far:
        raise ReverieError(
            f"camera {spec.name!r}: these clicks do not tell where it stands (to {fit.position_sd_m:.2f} m, {far:.2f} m away), as "
            "a far camera with a long lens looks like a near one: click frames in which the robot is at other depths, or give "
            "the focal length in the clicks file"
        )
