"""PPI++ against its formula, its plain limits, and what it may never do; the planner against published figures."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from reverie.stats import (
    MIN_PAIRS,
    Precision,
    allocate,
    betting_interval,
    clopper_pearson,
    corrected_rate,
    prediction_powered,
    real_alone,
    trials_for,
)
from reverie.stats.pairs import padded_moments, tuned_weight


def draw(rng, n, rate=0.6, right=0.85):
    y = (rng.random(n) < rate).astype(float)
    return y, np.where(rng.random(n) < right, y, 1 - y)


def test_by_hand():
    """n = 4: Y 1 1 0 0, F 1 0 0 0, N = 8 with mean .25. Padded to 8 pairs: means .5 and .375, covariance .0625,
    Var F .234375; weight .0625 / (2 x .234375) = 2 / 15."""
    y, f, u = np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, 0]), np.array([1.0, 1, 0, 0, 0, 0, 0, 0])
    found = prediction_powered(y, f, u)
    weight = 2 / 15
    assert found.weight == pytest.approx(weight)
    assert found.estimate.value == pytest.approx(weight * 0.25 + 0.5 - weight * 0.25)
    spread = 0.25 - 2 * weight * 0.0625 + weight**2 * 0.234375
    reach = 1.959964 * math.sqrt(spread / 8 + weight**2 * 0.1875 / 8)
    centre = weight * 0.25 + 0.5 - weight * 0.375
    assert (found.estimate.low, found.estimate.high) == pytest.approx((centre - reach, centre + reach), abs=1e-6)


def test_without_unlabelled_units_it_is_agresti_coull():
    y = np.repeat([1.0, 0.0], [30, 10])
    found = prediction_powered(y, y, [])
    low, high = proportion_confint(30, 40, method="agresti_coull")
    assert (found.weight, found.effective_n) == (0, 40)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high), abs=0.003)


def test_a_good_prediction_shortens_the_interval_and_a_useless_one_does_not_lengthen_it():
    rng = np.random.default_rng(0)
    y, f = draw(rng, 60, right=0.95)
    u = draw(rng, 600, right=0.95)[1]
    good, useless = prediction_powered(y, f, u), prediction_powered(y, rng.permutation(f), u)
    width = [p.high - p.low for p in (good.estimate, useless.estimate, prediction_powered(y, f, []).estimate)]
    assert width[0] < 0.75 * width[2]
    assert width[1] <= 1.01 * width[2]
    assert good.effective_n > 100
    assert useless.effective_n == pytest.approx(60, rel=0.15)


def test_a_biased_prediction_does_not_bias():
    """The prediction says 1 nearly always; 4,000 repetitions."""
    rng, values = np.random.default_rng(1), []
    for _ in range(4_000):
        y = (rng.random(40) < 0.3).astype(float)
        f = np.maximum(y, rng.random(40) < 0.8)
        u = np.maximum(rng.random(200) < 0.3, rng.random(200) < 0.8).astype(float)
        values.append(prediction_powered(y, f, u).estimate.value)
    assert np.mean(values) == pytest.approx(0.3, abs=0.005)


def test_few_pairs_fall_back_to_an_interval_that_holds():
    rng = np.random.default_rng(2)
    y, f = draw(rng, MIN_PAIRS - 1)
    u = draw(rng, 200)[1]
    found = prediction_powered(y, f, u)
    assert found.guaranteed == found.classical == clopper_pearson(int(y.sum()), len(y))
    halves = prediction_powered(y / 2, f / 2, u / 2)
    assert halves.guaranteed == betting_interval(y / 2, f / 2, u / 2)
    y, f = draw(rng, MIN_PAIRS)
    enough = prediction_powered(y, f, u)
    assert enough.guaranteed == enough.estimate


def test_betting_holds_and_uses_the_prediction():
    rng, hits = np.random.default_rng(3), []
    for _ in range(150):
        y, f = draw(rng, 15)
        found = betting_interval(y, f, draw(rng, 300)[1])
        hits.append(found.low <= 0.6 <= found.high)
    assert np.mean(hits) >= 0.95
    y, f = draw(rng, 400, right=0.98)
    u = draw(rng, 4_000, right=0.98)[1]
    used, alone = betting_interval(y, f, u), betting_interval(y, np.zeros(400), [])
    assert used.high - used.low < 0.8 * (alone.high - alone.low)


def test_nothing_real_is_absent():
    found = prediction_powered([], [], [1, 0, 1])
    assert found.estimate.value is None
    assert found.guaranteed.reason == "no real trials"
    assert found.effective_n is None
    assert betting_interval([], [], []).value is None
    assert real_alone([0.5, 0.25]).method.endswith("betting interval")


def test_weight_is_between_0_and_1():
    y = np.array([1.0, 0, 1, 0] * 10)
    assert tuned_weight(y, 1 - y, 1000) == 0
    assert 0.8 < tuned_weight(y, y, 100_000) <= 1
    assert padded_moments(y, y).n == 44


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prediction_powered([1, 0], [1], []), "found 2 and 1 outcomes, expected pairs"),
        (lambda: prediction_powered([2], [1], []), "real: found values"),
        (lambda: prediction_powered([1], [1], [np.nan]), "unlabelled: found nan"),
        (lambda: corrected_rate(3, 2, 1, 2, 1, 2), "called: found 3 of n = 2"),
        (lambda: trials_for(Precision(1, 10, 0.25, 0.5), 0), "half_width: found 0"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_planner_against_known_figures():
    """Correlation .7, many dreams: 40 pairs leave an expected absolute error of about 4.5 points, 90 of
    about 3 (without the four pseudo-pairs that are counted here)."""
    policy = Precision(0, 1_000_000, 0.25, 0.7)
    for n, error in ((40, 0.045), (90, 0.030)):
        assert policy.half_width(n) / 1.959964 * math.sqrt(2 / math.pi) == pytest.approx(error, abs=0.0025)
    needed = trials_for(policy, 0.1)
    assert policy.half_width(needed) <= 0.1 < policy.half_width(needed - 1)
    assert trials_for(Precision(10, 100, 0.25, 0.0), 0.001, most=1000) is None


def test_trials_go_where_the_interval_is_widest():
    few, many = Precision(5, 50, 0.25, 0.7), Precision(20, 50, 0.25, 0.7)
    assert allocate([few, many], 10) == [10, 0]
    assert sum(allocate([few, many], 40)) == 40
    assert allocate([few, many], 1_000) == [45, 30]
    assert allocate([Precision(0, 9, 0.25, 0.0), many], 1) == [1, 0]


def test_a_perfect_judge_corrects_nothing():
    found = corrected_rate(30, 40, 10**7, 10**7, 10**7, 10**7)
    low, high = proportion_confint(30, 40, method="agresti_coull")
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_correction_by_hand():
    """t = .6, Se = .9, Sp = .8: (.6 - .2) / .7. Padded: Se 46/52, Sp 41/52, t (60 + z^2/2) / (100 + z^2)."""
    found = corrected_rate(60, 100, 45, 50, 40, 50)
    assert found.value == pytest.approx(4 / 7)
    z2 = 3.841459
    se, sp, t = 46 / 52, 41 / 52, (60 + z2 / 2) / (100 + z2)
    p = (t + sp - 1) / (se + sp - 1)
    v_se, v_sp = se * (1 - se) / 52, sp * (1 - sp) / 52
    shift = 2 * z2 * (p * v_se - (1 - p) * v_sp)
    reach = math.sqrt(z2 * (t * (1 - t) / (100 + z2) + p**2 * v_se + (1 - p) ** 2 * v_sp)) / (se + sp - 1)
    assert (found.low, found.high) == pytest.approx((p + shift - reach, p + shift + reach), abs=1e-6)


def test_a_less_known_judge_widens_the_interval():
    widths = [(e := corrected_rate(60, 100, 9 * m, 10 * m, 8 * m, 10 * m)).high - e.low for m in (2, 5, 50)]
    assert widths[0] > widths[1] > widths[2]


def test_a_judge_near_chance_corrects_nothing():
    assert "near chance" in corrected_rate(50, 100, 50, 100, 52, 100).reason
    assert "no labelled" in corrected_rate(50, 100, 0, 0, 52, 100).reason
