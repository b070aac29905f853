"""The bootstrap of trials: against theory where there is one, pairing by scene, and when it must say nothing."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from reverie.stats import BIAS, CORRELATIONS, REGRET, TOP_ONE, Resampling, mmrv_statistic, trial_bootstrap
from reverie.stats.resampling import bootstrap_limits

PEARSON = CORRELATIONS["pearson"]


def outcomes(successes, n):
    return np.arange(n) < successes


def sides(rng, rates, n):
    return [rng.random(n) < rate for rate in rates]


def test_bias_matches_the_binomial_variance():
    """A mean of independent rates has a known variance; its bootstrap interval must be that of the normal law."""
    predicted, real = [outcomes(k, 200) for k in (60, 100, 140)], [outcomes(k, 100) for k in (40, 50, 60)]
    variance = sum(p * (1 - p) / 200 for p in (0.3, 0.5, 0.7)) + sum(p * (1 - p) / 100 for p in (0.4, 0.5, 0.6))
    found = trial_bootstrap(BIAS, predicted, real, resampling=Resampling(draws=20_000))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    reach = 1.96 * math.sqrt(variance) / 3
    assert found.high == pytest.approx(reach, rel=0.05)
    assert found.low == pytest.approx(-reach, rel=0.05)
    assert found.n == 3


def test_scenes_match_the_paired_variance():
    """With one trial a scene and side, resampling scenes is resampling the paired differences."""
    rng = np.random.default_rng(0)
    real = [rng.random(300) < 0.5]
    predicted = [np.where(rng.random(300) < 0.1, ~real[0], real[0])]
    scenes = [list(range(300))]
    found = trial_bootstrap(BIAS, predicted, real, scenes, scenes, Resampling(draws=20_000))
    spread = np.std(predicted[0].astype(float) - real[0]) / math.sqrt(300)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * spread, rel=0.05)
    unpaired = trial_bootstrap(BIAS, predicted, real)
    assert unpaired.high - unpaired.low > 1.8 * (found.high - found.low)
    assert "scenes shared" in found.method
    assert "trials independent" in unpaired.method


def test_replicates_of_a_scene_stay_together():
    """Eight copies of every trial hold no more than the trials themselves."""
    rng = np.random.default_rng(1)
    real, predicted = sides(rng, [0.3, 0.6], 50), sides(rng, [0.4, 0.8], 50)
    scenes = [list(range(50))] * 2
    once = trial_bootstrap(BIAS, predicted, real, scenes, scenes)
    copied = trial_bootstrap(
        BIAS,
        [np.tile(x, 8) for x in predicted],
        [np.tile(x, 8) for x in real],
        [s * 8 for s in scenes],
        [s * 8 for s in scenes],
    )
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))


def test_trials_may_differ_in_number_and_scene():
    scenes_p, scenes_r = [["a", "b", "c", "d"], ["a", "b", "c"]], [["a", "b"] * 3, ["c", "d", "a", "b"]]
    predicted, real = [[1, 0, 1, 1], [0, 0, 1]], [[1, 0, 1, 0, 1, 1], [0, 1, 0, 0]]
    found = trial_bootstrap(BIAS, predicted, real, scenes_p, scenes_r)
    assert found.value == pytest.approx((0.75 + 1 / 3) / 2 - (4 / 6 + 1 / 4) / 2)
    assert "left out" in found.method


@pytest.mark.parametrize("statistic", [*CORRELATIONS.values(), mmrv_statistic(), REGRET, TOP_ONE, BIAS])
def test_every_statistic_is_repeatable_and_permutable(statistic):
    rng = np.random.default_rng(4)
    rates = [0.2, 0.4, 0.6, 0.8]
    real, predicted = sides(rng, rates, 40), sides(rng, rates, 40)
    scenes = [list(range(40))] * 4
    quick = Resampling(draws=500, seed=7)
    found = trial_bootstrap(statistic, predicted, real, scenes, scenes, quick)
    assert found == trial_bootstrap(statistic, predicted, real, scenes, scenes, quick)
    assert statistic.name in found.method
    assert "500 draws, seed 7" in found.method
    backwards = trial_bootstrap(statistic, predicted[::-1], real[::-1], scenes, scenes, quick)
    assert (backwards.value, backwards.low, backwards.high) == pytest.approx((found.value, found.low, found.high))


def test_a_constant_side_is_absent():
    found = trial_bootstrap(PEARSON, [outcomes(5, 10)] * 4, [outcomes(k, 10) for k in (1, 3, 5, 9)])
    assert found.value is None
    assert "constant" in found.reason


def test_two_policies_have_no_correlation():
    two = [outcomes(3, 10), outcomes(7, 10)]
    assert trial_bootstrap(PEARSON, two, two).reason == "2 policies, expected at least 3"


def test_bias_correction_moves_the_limits_against_the_bias():
    """Draws that are normal around 0.7 for an observed 0: z0 = -0.7, limits -0.7 +- z."""
    draws = norm.ppf((np.arange(100_000) + 0.5) / 100_000) + 0.7
    assert bootstrap_limits(0.0, draws, "percentile", 0.9, 8) == pytest.approx((0.7 - 1.645, 0.7 + 1.645), abs=1e-3)
    assert bootstrap_limits(0.0, draws, "bias_corrected", 0.9, 8) == pytest.approx(
        (-0.7 - 1.645, -0.7 + 1.645), abs=2e-3
    )


def test_expanded_limits_of_a_mean_are_student_ts():
    """Draws as the normal bootstrap of 8 units with variance 1 (divisor 7) has them."""
    draws = norm.ppf((np.arange(100_000) + 0.5) / 100_000) * np.sqrt(7 / 8) / np.sqrt(8)
    reach = 2.364624 / np.sqrt(8)  # t of 7 degrees
    assert bootstrap_limits(0.0, draws, "expanded", 0.95, 8) == pytest.approx((-reach, reach), abs=1e-3)


def test_bias_correction_splits_ties():
    """As many draws above as below: no bias, however many equal the observed value."""
    draws = np.array([-2.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0] * 100)
    plain, corrected = (bootstrap_limits(0.0, draws, kind, 0.7, 8) for kind in ("percentile", "bias_corrected"))
    assert corrected == pytest.approx(plain)


def test_often_undefined_means_no_interval():
    """One success on one side: a third of the resamples lose it and have no correlation."""
    found = trial_bootstrap(
        PEARSON, [outcomes(0, 5), outcomes(0, 5), outcomes(1, 5)], [outcomes(k, 5) for k in (1, 2, 3)]
    )
    assert found.value is not None
    assert found.low is None
    assert "undefined in" in found.reason


def test_no_spread_means_no_interval_rather_than_certainty():
    found = trial_bootstrap(PEARSON, *[[outcomes(k, 10) for k in (0, 0, 10, 10)]] * 2)
    assert found.value == pytest.approx(1.0)
    assert found.low is None
    assert "every resample gave the same value" in found.reason


def test_lower_limit_of_a_correlation_holds():
    """Measured in the docstring: true r about .77, its lower limit is wrong in at most 4 % (nominal 2.5 %)."""
    rng = np.random.default_rng(5)
    quick = Resampling(draws=400)
    wrong, n = 0, 300
    for _ in range(n):
        true_real = rng.uniform(0.1, 0.9, 8)
        true_predicted = np.clip(0.7 * true_real + 0.15 * rng.normal(size=8), 0.02, 0.98)
        found = trial_bootstrap(PEARSON, sides(rng, true_predicted, 80), sides(rng, true_real, 80), resampling=quick)
        wrong += found.low > np.corrcoef(true_predicted, true_real)[0, 1]
    assert wrong / n < 0.07


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1]], [[0, 1], [1]]), "found 1 and 2 policies"),
        (([], []), "found 0 and 0 policies"),
        (([[0, 2]], [[0, 1]]), r"predicted\[0\]: found 2.0"),
        (([[0, 1]], [[0, None]]), r"real\[0\]: found nan at index 1"),
        (([[0, 1]], [[]]), r"real\[0\]: found no trials"),
        (([[0, 1]], [[0, 1]], [["a", "b"]]), "expected both or neither"),
        (([[0, 1]], [[0, 1]], [["a"]], [["a", "b"]]), r"predicted_scenes: found \[1\] scene names"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        trial_bootstrap(BIAS, *arguments)


def test_bad_settings():
    with pytest.raises(ValueError, match="draws: found 10"):
        Resampling(draws=10)
    with pytest.raises(ValueError, match="seed: found -1"):
        Resampling(seed=-1)
    with pytest.raises(ValueError, match="level: found 1"):
        Resampling(level=1)
