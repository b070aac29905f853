"""Affine and isotonic maps by hand; held out by group; conformal thresholds by counting."""

import itertools

import numpy as np
import pytest
from scipy.stats import beta

from reverie.stats import affine_map, conformal_rank, conformal_threshold, held_out, isotonic_map


def test_affine_by_hand():
    """x = .2 .4 .6, y = .3 .5 .4: slope .02 / .08 = .25, mean .4 at .4."""
    fitted = affine_map([0.2, 0.4, 0.6], [0.3, 0.5, 0.4])
    assert fitted(np.array([0.0, 0.4, 0.8])) == pytest.approx([0.3, 0.4, 0.5])


def test_affine_never_falls_and_stays_a_rate():
    assert affine_map([0.2, 0.4, 0.6], [0.6, 0.4, 0.2])(np.array([0.0, 1.0])) == pytest.approx([0.4, 0.4])
    assert affine_map([0.1, 0.5], [0.0, 1.0])(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert affine_map([0.3, 0.3, 0.3], [0.1, 0.5, 0.9]) is None


def test_isotonic_by_hand():
    """Pool adjacent violators of .1 .3 .2 .4 .35 .5: the pairs (.3, .2) and (.4, .35) become their means."""
    x = np.arange(6) / 10
    fitted = isotonic_map(x, [0.1, 0.3, 0.2, 0.4, 0.35, 0.5])
    assert fitted(x) == pytest.approx([0.1, 0.25, 0.25, 0.375, 0.375, 0.5])
    assert fitted(np.array([0.9, 0.05])) == pytest.approx([0.5, 0.175])


def test_isotonic_averages_equal_predictions_first():
    fitted = isotonic_map([0.2, 0.2, 0.2, 0.6], [0.9, 0.3, 0.3, 0.4])
    assert fitted(np.array([0.2, 0.6])) == pytest.approx([0.475, 0.475])


@pytest.mark.parametrize("kind", ["affine", "isotonic"])
def test_held_out_does_not_see_its_own_group(kind):
    x, y = np.linspace(0.1, 0.8, 8), np.linspace(0.2, 0.9, 8)
    groups = [name for name in "abcd" for _ in range(2)]
    before = held_out(x, y, groups, kind)
    changed = y.copy()
    changed[2:4] = [1.0, 0.0]
    assert held_out(x, changed, groups, kind).calibrated[2:4] == before.calibrated[2:4]
    assert held_out(x, changed, groups, kind).calibrated[:2] != before.calibrated[:2]


def test_a_shifted_prediction_is_put_right():
    x = np.linspace(0.1, 0.6, 6)
    found = held_out(x, x + 0.3, list("abcdef"))
    assert found.error_before.value == pytest.approx(0.3)
    assert found.error_after.value == pytest.approx(0, abs=1e-12)
    assert found.error_after.n == 6


def test_calibration_without_enough_groups_is_absent():
    found = held_out([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], ["a", "a", "b"])
    assert found.calibrated == (None, None, None)
    assert found.error_after.value is None
    assert "3" in found.error_after.reason
    one_differs = held_out([0.3, 0.3, 0.5], [0.2, 0.3, 0.4], list("abc"))
    assert one_differs.calibrated[2] is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: held_out([0.1], [0.2, 0.3], ["a"]), "found 1, 2 and 1"),
        (lambda: held_out([0.1], [1.2], ["a"]), "real: found values"),
        (lambda: held_out([0.1], [0.2], ["a"], "spline"), "kind: found 'spline'"),
        (lambda: conformal_threshold([1.0], 1.5), "found 1.5"),
        (lambda: conformal_threshold([1.0, np.nan], 0.1), "scores: found nan"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("n", "alpha", "rank"), [(19, 0.05, 19), (9, 0.1, 9), (10, 0.1, 10), (99, 0.1, 90), (20, 0.05, 20)]
)
def test_conformal_rank(n, alpha, rank):
    """(n + 1)(1 - alpha) in exact arithmetic: 20 x .95 is 19, not 20 by rounding."""
    assert conformal_rank(n, alpha) == rank


def test_conformal_coverage_by_enumeration():
    """Over all places that a new score can take among n, rank / (n + 1) of them are covered."""
    n, alpha = 9, 0.2
    scores = np.arange(n + 1, dtype=float)
    covered = [conformal_threshold(np.delete(scores, new), alpha).value >= new for new in range(n + 1)]
    found = conformal_threshold(scores[:n], alpha)
    assert np.mean(covered) == found.coverage == 0.8
    assert (found.low, found.high) == pytest.approx(tuple(beta.ppf([0.025, 0.975], 8, 2)))


def test_conformal_threshold_is_a_score_and_needs_enough_of_them():
    scores = [0.3, 0.1, 0.9, 0.5, 0.7]
    assert conformal_threshold(scores, 0.5).value == 0.5
    for order in itertools.permutations(scores[:3]):
        assert conformal_threshold([*order, 0.5, 0.7], 0.5).value == 0.5
    absent = conformal_threshold(range(18), 0.05)
    assert absent.value is None
    assert absent.coverage is None
    assert "18 scores, expected at least 19" in absent.reason
    assert conformal_threshold(range(19), 0.05).value == 18
