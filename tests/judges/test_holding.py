"""Success is held, not glimpsed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.judges.calibration import calibrated
from reverie.judges.holding import HoldRule, frames_to_hold, hold, probability, smoothed

TIMES = np.arange(41) / 5
RULE = HoldRule(smooth=1)


def _logits(*high: int) -> np.ndarray:
    logits = np.full(41, -3.0)
    logits[list(high)] = 2.0
    return logits


@pytest.mark.parametrize(("hz", "frames"), [(5, 3), (10, 5), (2, 1), (50, 25)])
def test_half_a_second_in_frames(hz: int, frames: int) -> None:
    assert frames_to_hold(0.5, np.arange(30) / hz) == frames


def test_a_glimpse_is_no_success() -> None:
    assert hold(_logits(10, 11, 13, 14), TIMES, RULE).frame is None
    assert hold(_logits(10, 11, 12), TIMES, RULE).frame == 12
    assert hold(_logits(10, 11, 12, 30, 31, 32, 33), TIMES, RULE).frame == 12  # the first time counts
    assert hold(_logits(38, 39, 40), TIMES, RULE).frame == 40


def test_smoothing_bridges_one_bad_frame_and_keeps_constants() -> None:
    assert hold(_logits(10, 11, 13, 14), TIMES, HoldRule(smooth=3)).frame is not None
    np.testing.assert_allclose(smoothed(np.full(9, 1.7), 3), 1.7)
    np.testing.assert_allclose(smoothed(np.array([0.0, 3.0, 6.0]), 3), [1.5, 3, 4.5])


@given(st.lists(st.floats(-20, 20), min_size=4, max_size=41), st.floats(-3, 3), st.floats(0.2, 5))
def test_success_and_probability_agree(values: list[float], threshold: float, temperature: float) -> None:
    rule = HoldRule(threshold=threshold, temperature=temperature)
    held = hold(np.array(values), TIMES[: len(values)], rule)
    assert (held.frame is not None) == (held.score > threshold)
    assert (probability(held.score, rule) > 0.5) == (held.score - threshold > 1e-15)


def test_calibration_finds_the_line_and_the_slope() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(0, 6, 4000)
    true = rng.random(4000) < 1 / (1 + np.exp(-(score - 2) / 3))
    rule = calibrated(HoldRule(), score.tolist(), true.tolist(), ridge=0.0)
    odds = true.mean() / (1 - true.mean())
    assert abs(rule.threshold - (2 + 3 * np.log(odds))) < 0.3  # as if there were as many failures as successes
    assert abs(rule.temperature - 3) < 0.3


def test_calibration_stays_finite_for_separated_classes() -> None:
    rule = calibrated(HoldRule(), [-5.0, -4.0, 6.0, 8.0], [False, False, True, True])
    assert -4 < rule.threshold < 6
    assert 0.05 < rule.temperature < 5
