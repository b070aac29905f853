"""MMRV against SIMPLER's published tables and its conventions by hand; regret, top-1, bias; the noise floor."""

import itertools

import numpy as np
import pytest
from scipy.stats import ttest_rel

from reverie.stats import (
    CORRELATIONS,
    SIMPLER,
    MmrvConvention,
    Resampling,
    bias,
    choice,
    expected_from_noise,
    mmrv,
    mmrv_from_noise,
    simulate_rates,
)

COKE = ([0.787, 0.857, 0.710, 0.567, 0.027, 0.170], [0.907, 0.853, 0.920, 0.760, 0.133, 0.293])
NEAR = ([0.779, 0.442, 0.354, 0.317, 0.050, 0.042], [0.733, 0.633, 0.583, 0.450, 0.017, 0.350])
CONVENTIONS = [
    MmrvConvention(t, g) for t in ("strict_less", "strict_greater", "sign_product") for g in ("real", "predicted")
]


@pytest.mark.parametrize(("table", "published"), [(COKE, 0.031), (NEAR, 0.111)])
def test_published_mmrv(table, published):
    assert mmrv(*table).value == pytest.approx(published, abs=0.0005)


def loops(predicted, real, violated, gap):
    """The formula, written as it is printed."""
    worst = []
    for i in range(len(real)):
        gaps = [abs(gap[i] - gap[j]) for j in range(len(real)) if violated(predicted, real, i, j)]
        worst.append(max(gaps, default=0.0))
    return sum(worst) / len(worst)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda c: c.name)
def test_conventions_agree_with_the_formula(convention):
    violated = {
        "strict_less": lambda s, r, i, j: (s[i] < s[j]) != (r[i] < r[j]),
        "strict_greater": lambda s, r, i, j: (s[i] > s[j]) != (r[i] > r[j]),
        "sign_product": lambda s, r, i, j: np.sign(s[i] - s[j]) * np.sign(r[i] - r[j]) < 0,
    }[convention.ties]
    rng = np.random.default_rng(0)
    for _ in range(20):
        s, r = rng.integers(0, 5, (2, 7)) / 4
        expected = loops(s, r, violated, r if convention.gap == "real" else s)
        assert mmrv(s, r, convention).value == pytest.approx(expected)
        order = rng.permutation(7)
        assert mmrv(s[order], r[order], convention).value == pytest.approx(expected)
    assert convention.ties in mmrv(s, r, convention).method
    assert convention.gap in mmrv(s, r, convention).method


def test_a_tie_is_charged_to_one_policy_or_none():
    """S ties 0 and 1; R puts 1 far above 0. Policy 2 is best on both sides."""
    predicted, real = [0.5, 0.5, 0.9], [0.2, 0.6, 0.7]
    assert mmrv(predicted, real).value == pytest.approx(0.4 / 3)
    assert mmrv(predicted, real, MmrvConvention("sign_product")).value == 0
    # Here the two strict rules charge different policies, whose other violations differ.
    predicted, real = [0.5, 0.5, 0.1], [0.2, 0.6, 0.3]
    assert mmrv(predicted, real).value == pytest.approx((0.4 + 0.0 + 0.1) / 3)
    assert mmrv(predicted, real, MmrvConvention("strict_greater")).value == pytest.approx((0.1 + 0.4 + 0.1) / 3)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda c: c.name)
def test_bounds(convention):
    """0 for any increasing map of reality; a full reversal costs each policy its distance to the farther end."""
    real = np.array([0.1, 0.25, 0.4, 0.8])
    assert mmrv(real**3, real, convention).value == 0
    reversed_ = mmrv(1 - real, real, convention).value
    assert reversed_ == pytest.approx(np.mean(np.maximum(real - 0.1, 0.8 - real)))


def test_rounding_is_a_tie_and_no_violation():
    assert mmrv([0.1 + 0.2, 0.3, 0.8], [0.5, 0.5, 0.9]).value == 0


def test_mmrv_needs_two_policies():
    assert mmrv([0.5], [0.5]).value is None
    assert mmrv([], []).value is None
    with pytest.raises(ValueError, match="ties: found 'loose'"):
        MmrvConvention("loose")
    with pytest.raises(ValueError, match="gap: found 'sim'"):
        MmrvConvention(gap="sim")
    with pytest.raises(ValueError, match="real: found inf at index 0"):
        mmrv([0.1, 0.2], [np.inf, 0.2])


def test_noise_floor_of_a_perfect_world():
    """80 trials a side and 8 evenly spread policies: r .976 (5 % quantile .948), MMRV <= .02 75 % of the time;
    99 % of the time with 240 trials (facts; the spread there is not stated exactly, hence the tolerance)."""
    rates = np.linspace(0.1, 0.9, 8)
    predicted, real = simulate_rates(rates, 80, 80, draws=20_000)
    r = CORRELATIONS["pearson"].values(predicted, real)
    assert r.mean() == pytest.approx(0.976, abs=0.003)
    assert np.quantile(r, 0.05) == pytest.approx(0.948, abs=0.004)
    assert np.mean(SIMPLER.values(predicted, real) <= 0.02) == pytest.approx(0.75, abs=0.02)
    assert np.mean(SIMPLER.values(*simulate_rates(rates, 240, 240)) <= 0.02) == pytest.approx(0.99, abs=0.01)


def test_noise_floor_against_enumeration():
    """Two policies, three trials a side: all outcomes can be listed."""
    rates, n = (0.3, 0.6), 3
    from scipy.stats import binom

    expected = 0.0
    for s0, s1, r0, r1 in itertools.product(range(n + 1), repeat=4):
        weight = binom.pmf([s0, r0], n, rates[0]).prod() * binom.pmf([s1, r1], n, rates[1]).prod()
        expected += weight * mmrv([s0 / n, s1 / n], [r0 / n, r1 / n]).value
    found = mmrv_from_noise(rates, n, n, resampling=Resampling(draws=50_000))
    assert found.value == pytest.approx(expected, abs=0.004)


def test_noise_floor_falls_with_trials_and_names_itself():
    rates = [0.2, 0.4, 0.5, 0.9]
    few, many = mmrv_from_noise(rates, 10, 10), mmrv_from_noise(rates, 1000, 1000)
    assert few.value > many.value
    assert "10 predicted and 10 real trials" in few.method
    assert few == mmrv_from_noise(rates, 10, 10)
    assert mmrv_from_noise([0.3], 10, 10).value is None
    assert mmrv_from_noise([0.0, 1.0, 1.0], 5, 5).value == 0
    assert expected_from_noise(CORRELATIONS["pearson"], [1.0, 1.0, 1.0], 5, 5).value is None
    with pytest.raises(ValueError, match=r"true_rates: found values from 0\.2 to 1\.2"):
        mmrv_from_noise([0.2, 1.2], 10, 10)
    with pytest.raises(ValueError, match="n_real: found 0"):
        mmrv_from_noise([0.2, 0.8], 10, 0)


def test_choice():
    found = choice([0.2, 0.9, 0.5], [0.3, 0.6, 0.8])
    assert (found.regret, found.top_one) == pytest.approx((0.2, 0.0))
    assert (found.chosen, found.best, found.n) == ((1,), (2,), 3)
    assert choice([0.2, 0.4, 0.5], [0.3, 0.6, 0.8]).top_one == 1


def test_choice_among_ties_is_a_mean_over_picking_one():
    found = choice([0.9, 0.9, 0.1], [0.4, 0.8, 0.8])
    assert (found.regret, found.top_one) == pytest.approx((0.2, 0.5))
    assert found.chosen == (0, 1)
    assert found.best == (1, 2)


def test_choice_of_nothing_is_absent():
    assert choice([], []).regret is None
    assert choice([], []).to_dict() == {"regret": None, "top_one": None, "chosen": (), "best": (), "n": 0}


def test_bias_is_a_paired_t_interval():
    found = bias(*COKE)
    limits = ttest_rel(*COKE).confidence_interval()
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))
    assert found.value == pytest.approx(-0.748 / 6)
    swapped = bias(COKE[1], COKE[0])
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_bias_of_one_or_no_policy():
    assert bias([], []).value is None
    one = bias([0.4], [0.6])
    assert one.value == pytest.approx(-0.2)
    assert one.low is None
