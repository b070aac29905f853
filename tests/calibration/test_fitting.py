"""Cameras from clicks, against the truth. Bounds follow from the errors of clicks: twelve clicks of two numbers with a standard
deviation s determine seven numbers, so that a point that the camera saw is reprojected with an error of about s * sqrt(2 * 7 /
24) = 0.76 s (root mean square); whole pixels have s = 0.29. Twice that is allowed, for frames that were not clicked. Frames to
click are chosen as the verb chooses them."""

import numpy as np
import pytest

from reverie.calibration.fitting import fit_camera
from reverie.calibration.reprojection import Known
from reverie.core import ReverieError
from reverie.data.clicks import spread_frames
from reverie.embodiments import panda
from reverie.embodiments.cameras import project

N = 12
THEORY = np.sqrt(2 * 7 / (2 * N))
ROUNDED, NOISY = 12**-0.5, np.sqrt(1 + 1 / 12)
STILL = [c for c in panda.CAMERAS if c.mount == "base"]
WRIST = panda.CAMERAS[3]


def seen(camera, seed, n=N + 60, thing=None):
    """Hands over the table [n, 4, 4], and the pixels [n, 2] of the TCP (or of a thing) that this camera shows; the first N are
    the ones to click."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([rng.uniform([-0.1, -0.25, -0.22], [0.25, 0.25, 0.1], (600, 3)), rng.uniform(-0.3, 0.3, (600, 3))], 1)  # fmt: skip
    states = panda.start(offsets)
    matrix = panda.camera_matrices(states)[:, panda.CAMERAS.index(camera)].astype(float)
    pixels, depth = project(matrix, states[:, :3] if thing is None else np.broadcast_to(thing, (600, 3)))
    inside = np.flatnonzero(((pixels > 0) & (pixels < 63)).all(1) & (depth > 0))[:n]
    assert len(inside) == n
    first = [frame for _, frame in spread_frames([states[inside, 8:]], N)]
    inside = inside[[*first, *(i for i in range(n) if i not in first)]]
    return panda.pose_of(states[inside]), pixels[inside]


def clicked(pixels, rng=None):
    """As a person clicks: whole pixels; with `rng` one pixel off, and once quite elsewhere."""
    if rng is None:
        return pixels.round()
    found = (pixels + rng.normal(0, 1, pixels.shape)).round().clip(0, 63)
    found[3] = (found[3] + 31) % 64
    return found


def reprojected(fit, poses, pixels):
    """Root mean square on frames that were not clicked."""
    again, _ = project(fit.camera.matrices(poses), poses[:, :3, 3])
    return np.sqrt(np.mean(np.sum((again - pixels) ** 2, axis=1)))


def place_error(fit, camera):
    return np.linalg.norm(fit.camera.pose[:3, 3] - camera.pose_in_mount[:3, 3])


def turn_error(fit, camera):
    both = camera.pose_in_mount[:3, :3].T @ fit.camera.pose[:3, :3]
    return np.arccos(np.clip((np.trace(both) - 1) / 2, -1, 1))


@pytest.mark.parametrize("camera", STILL, ids=lambda c: c.name)
def test_twelve_whole_pixels_place_a_camera(camera):
    poses, pixels = seen(camera, 0)
    fit = fit_camera(camera.spec, clicked(pixels[:N]), poses[:N, :3, 3])
    assert fit.kept.all()
    assert reprojected(fit, poses[N:], pixels[N:]) < 2 * THEORY * ROUNDED  # 0.44 px
    assert place_error(fit, camera) < 3 * fit.position_sd_m < 0.2
    assert turn_error(fit, camera) < np.radians(2)
    assert fit.rms_px < fit.left_out_rms_px < 1.0


@pytest.mark.parametrize("camera", STILL, ids=lambda c: c.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_pixel_of_noise_and_a_gross_error_cost_little(camera, seed):
    poses, pixels = seen(camera, seed)
    fit = fit_camera(camera.spec, clicked(pixels[:N], np.random.default_rng(seed)), poses[:N, :3, 3])
    assert not fit.kept[3]
    assert fit.kept.sum() >= N - 2
    assert np.isnan(fit.left_out_px[3])
    assert reprojected(fit, poses[N:], pixels[N:]) < 2 * THEORY * NOISY  # 1.6 px
    assert place_error(fit, camera) < 3 * fit.position_sd_m


def test_a_known_lens_places_it_better():
    camera = STILL[0]
    poses, pixels = seen(camera, 3)
    clicks = clicked(pixels[:N], np.random.default_rng(3))
    free = fit_camera(camera.spec, clicks, poses[:N, :3, 3])
    known = Known(float(camera.intrinsics[0, 0]), (31.5, 31.5))
    told = fit_camera(camera.spec, clicks, poses[:N, :3, 3], known=known)
    assert told.camera.intrinsics[0, 0] == known.focal_px
    assert told.position_sd_m < 0.5 * free.position_sd_m
    assert place_error(told, camera) < 3 * told.position_sd_m


def test_a_camera_on_the_hand_and_the_thing_it_sees():
    thing = np.array([0.45, 0.02, 0.01])
    poses, pixels = seen(WRIST, 0, thing=thing)
    fit = fit_camera(WRIST.spec, clicked(pixels[:N]), poses[:N], on="tcp")
    again, _ = project(fit.camera.matrices(poses[N:]), np.broadcast_to(fit.seen, (60, 3)))
    theory = np.sqrt(2 * 10 / (2 * N)) * ROUNDED
    assert np.sqrt(np.mean(np.sum((again - pixels[N:]) ** 2, axis=1))) < 2 * theory
    assert place_error(fit, WRIST) < 3 * fit.position_sd_m < 0.06
    assert np.linalg.norm(fit.seen - thing) < 0.03


def test_clicks_that_say_too_little_are_refused():
    camera = STILL[0]
    poses, pixels = seen(camera, 4)
    points, clicks = poses[:N, :3, 3], clicked(pixels[:N])
    with pytest.raises(ReverieError, match="found 5 clicks, expected at least 6"):
        fit_camera(camera.spec, clicks[:5], points[:5])
    with pytest.raises(ReverieError, match="in one place in all 12"):
        fit_camera(camera.spec, clicks, points[:1] + 0.01 * (points - points[:1]))
    line = points[:1] + np.linspace(0, 0.3, N)[:, None] * [0, 1, 0]
    with pytest.raises(ReverieError, match="on one line"):
        fit_camera(camera.spec, clicks, line)


def test_a_fit_that_does_not_fit_says_why_it_may_be():
    camera = STILL[0]
    poses, pixels = seen(camera, 5)
    with pytest.raises(ReverieError, match=r"px off the best camera.*--link.*--joints.*--degrees.*rides on the arm"):
        fit_camera(camera.spec, clicked(pixels[:N])[::-1], poses[:N, :3, 3])
