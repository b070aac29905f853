"""fit_camera: where a camera stands and how long its lens is, from points on a robot and the pixels they were seen at.

Robust least squares on pixels (soft L1, scipy) from several starts. A camera that stands still is told where the clicked point of
the robot was, in the base frame. One that rides on a link (eye in hand) sees one thing that stands still, nobody knows where: its
place is fitted, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.camera import FittedCamera
from reverie.calibration.reprojection import FAR_PX, Guess, Known, Reprojection
from reverie.core.errors import ReverieError
from reverie.core.specs import CameraSpec

Array = NDArray[np.float64]

MIN_CLICKS = {False: 6, True: 8}
"""Rides on a link: clicks. Seven numbers of a camera are unknown, ten with the place of the thing; a click tells two."""
LARGE_PX = 1 / 32
"""As a share of the image's width: a fit that is so wrong is refused."""
N_BEST = 6
SPREAD_M, ACROSS_M = 0.03, 0.015
VAGUE, UNKNOWN = 0.25, 1.0
"""A place that is not known better than this share of the distance is remarked on; refused."""


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
    problem = Reprojection(spec, pixels, points, on is not None, known or Known())
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


def _without_one(problem: Reprojection, best: Guess) -> Guess:
    """A single click that is quite wrong can hold a fit; the one without it is then better on all others."""
    n = len(problem.pixels)
    return min([best, *(problem.solve(best, np.arange(n) != i) for i in range(n))], key=problem.bounded)


def _left_out(problem: Reprojection, best: Guess, kept: NDArray[np.bool_], i: int) -> float:
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
