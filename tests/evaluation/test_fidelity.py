"""PSNR and SSIM of replays, their intervals, and the record that the report draws."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.core.fakes import tiny_episode
from reverie.evaluation.fidelity import MOVED, Pair, at_frame, psnr, series, table
from reverie.evaluation.fidelity_record import film, replay_curves, write_fidelity
from reverie.evaluation.ssim import C1, C2, ssim_map
from reverie.report import write_report


def showing(frames):
    """An episode whose two cameras show [F, 16, 16, 3]."""
    episode = tiny_episode(len(frames), success=None)
    images = dict.fromkeys(episode.observations.images, np.asarray(frames, np.uint8))
    return replace(episode, observations=replace(episode.observations, images=images))


def moving_square(n_frames, step=2):
    frames = np.full((n_frames, 16, 16, 3), 40, np.uint8)
    for f in range(n_frames):
        frames[f, 4:8, f * step : f * step + 4] = (200, 60, 60)
    return frames


def still(frames):
    return np.repeat(frames[:1], len(frames), axis=0)


def noisy(frames, seed, size=10):
    noise = np.random.default_rng(seed).integers(-size, size + 1, frames.shape)
    out = np.clip(frames + noise, 0, 255).astype(np.uint8)
    out[0] = frames[0]
    return out


def pair(take, seed=0, n_frames=5):
    real = moving_square(n_frames)
    return Pair(take, showing(real), showing(noisy(real, seed)))


def test_ssim_is_the_formula_of_the_paper():
    """Every pixel of the inside against equation 13, written out with its own window."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 22, 3), dtype=np.uint8)
    y = np.clip(x + rng.integers(-40, 41, x.shape), 0, 255).astype(np.uint8)
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    found = ssim_map(x, y)
    for row, column in ((5, 5), (9, 13), (14, 16)):
        values = []
        for c in range(3):
            a, b = (v[row - 5 : row + 6, column - 5 : column + 6, c].astype(float) for v in (x, y))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            values.append((2 * ma * mb + C1) * (2 * cov + C2) / ((ma**2 + mb**2 + C1) * (va + vb + C2)))
        assert found[row, column] == pytest.approx(np.mean(values), abs=1e-9)


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise():
    picture = moving_square(1)[0]
    assert ssim_map(picture, picture) == pytest.approx(1)
    little, much = (ssim_map(picture, noisy(np.stack([picture] * 2), 0, size)[1]).mean() for size in (5, 60))
    assert 1 > little > much
    with pytest.raises(ValueError, match="expected one"):
        ssim_map(picture, picture[1:])


def test_psnr():
    assert psnr(255.0**2) == 0
    assert psnr(100.0) == pytest.approx(10 * np.log10(650.25))
    assert np.isfinite(psnr(0.0))


def test_moving_pixels_are_those_that_left_the_first_frame():
    real = moving_square(3, step=4)
    copied = series(Pair("a", showing(real), showing(still(real))))
    squared = (np.array([200.0, 60, 60]) - 40) ** 2
    # the square and the place it left: all of them off by the same colour
    assert copied.dreamt["psnr_moving"] == pytest.approx([psnr(squared.mean())] * 2)
    assert copied.dreamt["psnr"] == pytest.approx([psnr(squared.mean() * 32 / 256)] * 2)
    np.testing.assert_array_equal(copied.dreamt["ssim"], copied.copied["ssim"])


def test_where_nothing_moves_nothing_is_measured_on_moving_pixels():
    real = still(moving_square(4))
    real[2:] += MOVED  # not more than the threshold
    found = series(Pair("a", showing(real), showing(real)))
    assert np.isnan(found.dreamt["psnr_moving"]).all()
    point = at_frame([found], "psnr_moving", 1)
    assert (point.dreamt.value, point.gain.value, point.gain.n) == (None, None, 0)


def test_a_dream_that_began_elsewhere_is_an_error():
    real = moving_square(4)
    with pytest.raises(ReverieError, match="does not begin with the real first frame"):
        series(Pair("a", showing(real), showing(real[1:])))


def test_the_shorter_of_the_two_decides_the_length():
    real = moving_square(5)
    found = series(Pair("a", showing(real[:3]), showing(real)))
    assert found.n_frames == 2
    assert list(table([found], (1, 2, 3))["psnr"]) == ["frame_1", "frame_2"]


def test_takes_are_the_sample_not_windows():
    """Two windows of one take count once; an interval needs three takes."""
    found = [series(pair(take, seed)) for seed, take in enumerate("aab")]
    two = at_frame(found, "psnr", 1).gain
    assert (two.n, two.low) == (2, None)
    values = [s.dreamt["psnr"][0] - s.copied["psnr"][0] for s in found]
    assert two.value == pytest.approx(((values[0] + values[1]) / 2 + values[2]) / 2)
    three = at_frame([*found, series(pair("c", 9))], "psnr", 1).gain
    assert three.n == 3
    assert three.low < three.value < three.high


def test_the_record_is_what_the_report_draws(tmp_path):
    pairs = [pair(take, seed) for seed, take in enumerate("abc")]
    found = [series(p) for p in pairs]
    write_fidelity(tmp_path, replay_curves(found, 5.0, "from the first frame"), [film(tmp_path, pairs[0], 5.0)])
    page = write_report(tmp_path).read_text()
    assert "PSNR, moving pixels, from the first frame" in page
    assert "copy the first frame" in page
    assert "Success was not measured" in page


def test_two_takes_have_curves_without_interval():
    found = [series(pair(take, seed)) for seed, take in enumerate("ab")]
    first = replay_curves(found, 5.0, "from the first frame")[0]
    assert "low" not in first
    assert "fewer than three takes" in first["note"]
    assert (first["n"], first["x"]) == (2, [0.2, 0.4, 0.6, 0.8])


def test_invented_motion_costs_where_either_moved():
    """A ghost where really nothing moved: unseen by the mask of the truth, seen by that of both."""
    real, ghost = moving_square(3), moving_square(3)
    ghost[1:, 12:16, 12:16] = 255
    found = series(Pair("a", showing(real), showing(ghost)))
    assert found.dreamt["psnr_moving"] == pytest.approx(psnr(0))
    assert (found.dreamt["psnr_either"] < 25).all()
    assert (found.dreamt["ssim_either"] < found.dreamt["ssim_moving"]).all()
    faithful = series(Pair("a", showing(real), showing(real)))
    np.testing.assert_array_equal(faithful.copied["psnr_either"], faithful.copied["psnr_moving"])


def test_a_drawn_robot_is_a_second_baseline():
    real = moving_square(4)
    plain = [pair(take, seed, 4) for seed, take in enumerate("abc")]
    drawn = [replace(p, drawn=np.stack([real, real], axis=1)) for p in plain]
    assert at_frame([series(p) for p in plain], "psnr", 1).gain_over_drawn is None
    point = at_frame([series(p) for p in drawn], "psnr_moving", 2)
    assert point.drawn.value == pytest.approx(psnr(0))
    assert point.gain_over_drawn.value == pytest.approx(point.dreamt.value - psnr(0))
    assert (point.drawn.n, point.gain_over_drawn.n) == (3, 3)
