"""Displacement in pixels against pictures that were moved by a known amount."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from reverie.evaluation.motion import alignment, displacement


def sliding(u, v, n=6, views=1):
    """A soft-edged, textured patch that moves by (u, v) pixels a frame over a still, textured background."""
    rng = np.random.default_rng(0)
    still = 100 + 20 * gaussian_filter(rng.normal(size=(64, 64)), 3) / 0.1
    patch = np.zeros((64, 64))
    patch[24:40, 24:40] = 120 + gaussian_filter(rng.normal(size=(16, 16)), 2) * 100
    frames = []
    for f in range(n):
        alpha = shift(gaussian_filter((patch > 0).astype(float), 1), (v * f, u * f), order=1)
        frames.append(still * (1 - alpha) + shift(patch, (v * f, u * f), order=1) * alpha)
    grey = np.clip(np.stack(frames), 0, 255)
    return np.repeat(np.repeat(grey[:, None, ..., None], 3, -1), views, 1).astype(np.uint8)


@pytest.mark.parametrize(("u", "v"), [(2, 0), (0, -2), (1.5, 1), (-1, 1.5)])
def test_a_patch_is_followed(u, v):
    found = displacement(sliding(u, v))[0]
    assert alignment(found, np.array([u, v])) > 0.9
    assert np.linalg.norm(found) == pytest.approx(5 * np.hypot(u, v), rel=0.5)


def test_the_other_way_is_the_other_way():
    there, back = displacement(sliding(1.5, 1, views=2)), displacement(sliding(-1.5, -1, views=2))
    assert alignment(there, back) < -0.9
    assert alignment(there, there) == pytest.approx(1)


def test_what_stands_still_has_no_direction():
    still = np.repeat(sliding(0, 0, n=1), 4, axis=0)
    assert not displacement(still).any()
    assert alignment(displacement(still), np.ones((1, 2))) == 0
