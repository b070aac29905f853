"""Per-episode agreement: known kappas, the majority class as opponent, episodes of one policy as a cluster."""

import math

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.inter_rater import cohens_kappa

from reverie.stats import (
    Resampling,
    accuracy,
    accuracy_beats_majority,
    agreement,
    clustered_accuracy,
    kappa,
    majority_accuracy,
    wilson,
)


def pairs(both_fail, real_only, predicted_only, both_succeed):
    predicted = np.repeat([0, 0, 1, 1], [both_fail, real_only, predicted_only, both_succeed])
    real = np.repeat([0, 1, 0, 1], [both_fail, real_only, predicted_only, both_succeed])
    return predicted, real


def test_accuracy_is_a_wilson_interval_of_the_matches():
    assert accuracy(*pairs(4, 1, 2, 3)) == wilson(7, 10)
    assert accuracy([], []).value is None


def test_majority_accuracy():
    assert majority_accuracy([1, 1, 1, 0]) == 0.75
    assert majority_accuracy([0, 0, 0, 1]) == 0.75
    assert majority_accuracy([]) is None


def test_textbook_kappa():
    """Wikipedia, Cohen's kappa: 20 yes-yes, 5, 10, 15 no-no give .4; and 45, 15, 25, 15 give .1304."""
    assert kappa(*pairs(15, 5, 10, 20)).value == pytest.approx(0.4)
    assert kappa(*pairs(15, 25, 15, 45)).value == pytest.approx(0.1304, abs=5e-5)


def test_kappa_interval_is_near_the_asymptotic_one():
    predicted, real = pairs(120, 30, 40, 210)
    found = kappa(predicted, real, resampling=Resampling(draws=20_000))
    reference = cohens_kappa([[120, 30], [40, 210]])
    assert found.value == pytest.approx(reference.kappa)
    assert (found.low, found.high) == pytest.approx((reference.kappa_low, reference.kappa_upp), abs=0.006)


def test_kappa_is_symmetric_and_invariant():
    predicted, real = pairs(5, 3, 2, 8)
    value = kappa(predicted, real).value
    assert kappa(real, predicted).value == pytest.approx(value)
    assert kappa(1 - predicted, 1 - real).value == pytest.approx(value)
    order = np.random.default_rng(0).permutation(len(real))
    assert kappa(predicted[order], real[order]) == kappa(predicted, real)


def test_kappa_where_it_says_nothing():
    undefined = kappa(*pairs(0, 0, 0, 9))
    assert undefined.value is None
    assert "constant" in undefined.reason
    uninformative = kappa(*pairs(0, 0, 4, 5))
    assert uninformative.value == pytest.approx(0)
    assert uninformative.low is None
    assert kappa([], []).value is None


def test_beating_the_majority_by_hand():
    """Majority is success. Only where failure was predicted do they differ: 9 rightly, 2 wrongly."""
    predicted, real = pairs(9, 2, 4, 20)
    found = accuracy_beats_majority(predicted, real)
    assert found.value == pytest.approx(sum(binom.pmf(k, 11, 0.5) for k in range(9, 12)))
    assert found.alternative == "greater"
    assert "majority" in found.method
    assert found.n == 35


def test_beating_the_majority_with_classes_tied_takes_the_larger_p():
    predicted, real = pairs(10, 4, 0, 6)
    against_success = sum(binom.pmf(k, 14, 0.5) for k in range(10, 15))
    against_failure = 0.5**6
    expected = pytest.approx(max(against_success, against_failure))
    assert accuracy_beats_majority(predicted, real).value == expected
    assert accuracy_beats_majority(1 - predicted, 1 - real).value == expected


def test_the_majority_does_not_beat_itself():
    assert accuracy_beats_majority([1] * 9, [1] * 6 + [0] * 3).value == 1
    assert accuracy_beats_majority([], []).value is None


def test_beating_the_majority_keeps_its_level():
    """Predictions that know nothing: a false alarm at 5 % must come up in at most 5 %."""
    rng = np.random.default_rng(0)
    alarms = [accuracy_beats_majority(rng.random(40) < 0.7, rng.random(40) < 0.6).value <= 0.05 for _ in range(500)]
    assert np.mean(alarms) <= 0.05


def test_clusters_widen_the_interval():
    """Twenty policies whose episodes are all right or all wrong hold twenty facts, not 400."""
    right = np.repeat(np.arange(20) < 12, 20)
    real = np.tile([0, 1], 200)
    predicted = np.where(right, real, 1 - real)
    policies = np.repeat(np.arange(20), 20)
    found = clustered_accuracy(predicted, real, policies, Resampling(draws=20_000))
    assert found.value == pytest.approx(0.6)
    assert found.n == 20
    assert (found.high - found.low) / 2 == pytest.approx(2.093 * math.sqrt(0.6 * 0.4 / 19), rel=0.1)
    plain = accuracy(predicted, real)
    assert found.high - found.low > 4 * (plain.high - plain.low)
    by_policy, by_episode = kappa(predicted, real, policies), kappa(predicted, real)
    assert by_policy.value == pytest.approx(by_episode.value)
    assert by_policy.high - by_policy.low > 3 * (by_episode.high - by_episode.low)
    assert "bootstrap of policies" in by_policy.method
    assert "bootstrap of episodes" in by_episode.method


def test_policies_of_one_episode_each_are_episodes():
    predicted, real = pairs(30, 10, 5, 40)
    many = Resampling(draws=20_000)
    one_each, plain = kappa(predicted, real, range(85), many), kappa(predicted, real, resampling=many)
    assert (one_each.low, one_each.high) == pytest.approx((plain.low, plain.high), abs=0.01)


def test_one_policy_has_no_clustered_interval():
    found = clustered_accuracy([0, 1, 1], [0, 1, 0], ["act"] * 3)
    assert found.value == pytest.approx(2 / 3)
    assert found.low is None
    assert found.reason == "no interval: one policy"


def test_agreement_gathers_it_all():
    predicted, real = pairs(30, 10, 5, 40)
    policies = np.tile(["act", "rt1", "octo", "dp", "vla"], 17)
    found = agreement(predicted, real, policies)
    assert found.accuracy == accuracy(predicted, real)
    assert found.majority == pytest.approx(50 / 85)
    assert found.beats_majority.value < 0.01
    assert found.kappa == kappa(predicted, real)
    assert found.clustered_kappa == kappa(predicted, real, policies)
    assert found.to_dict()["clustered_accuracy"]["n"] == 5
    assert agreement(predicted, real).clustered_kappa is None
    assert agreement([], []).majority is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([1, 0], [1]), "predicted, real: found 2 and 1 outcomes"),
        (lambda: kappa([1, 2], [1, 0]), "predicted: found 2.0"),
        (lambda: kappa([1, 0], [1, 0], ["act"]), "policies: found 1 names for 2 episodes"),
        (lambda: accuracy_beats_majority([1, 0], [1, np.nan]), "real: found nan at index 1"),
        (lambda: accuracy([1], [1], 95), "level: found 95"),
        (lambda: majority_accuracy([[1]]), r"real: found shape \(1, 1\)"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
