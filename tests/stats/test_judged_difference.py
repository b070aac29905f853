"""Corrections for a judge's errors: against the exact ratio, by simulation, and what they must leave as it is."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from reverie.stats import (
    CORRELATIONS,
    MmrvConvention,
    bias,
    confidence_sequence,
    corrected_bias,
    corrected_difference,
    corrected_difference_sequence,
    corrected_rate,
    corrected_rate_sequence,
    mmrv,
    paired_difference,
    paired_difference_sequence,
    paired_table,
    unpaired_difference,
    youden_index,
)

SURE = (10**7, 10**7, 10**7, 10**7)
FAIR = (28, 35, 33, 45)


def called(true, rng, se, sp):
    return rng.random(true.shape) < np.where(true, se, 1 - sp)


def matrix(rng, se, sp, labelled):
    return int(rng.binomial(labelled, se)), labelled, int(rng.binomial(labelled, sp)), labelled


def test_the_index_is_the_difference_of_two_independent_rates():
    found = youden_index(*FAIR)
    assert found.value == pytest.approx(28 / 35 + 33 / 45 - 1)
    same = unpaired_difference(28, 35, 12, 45)
    assert (found.low, found.high, found.n) == (same.low, same.high, 80)
    assert youden_index(0, 0, 3, 4).value is None


def test_a_judge_that_never_errs_corrects_nothing():
    seen = unpaired_difference(30, 40, 18, 40)
    found = corrected_difference(seen, *SURE)
    assert (found.value, found.low, found.high) == pytest.approx((seen.value, seen.low, seen.high), abs=1e-5)
    rates = [0.2, 0.5, 0.9]
    assert corrected_bias(rates, [0.3, 0.4, 0.6], *SURE).low == pytest.approx(bias(rates, [0.3, 0.4, 0.6]).low, abs=1e-5)  # fmt: skip


@pytest.mark.parametrize("counts", [(30, 18), (20, 19), (18, 30), (20, 20)])
def test_limits_are_where_the_difference_of_both_is_not_zero_any_more(counts):
    """Whatever the signs: at the upper limit u, the upper limit of (observed - u index) is 0, and at the lower one likewise."""
    seen, judge = unpaired_difference(counts[0], 40, counts[1], 40), youden_index(*FAIR)
    found = corrected_difference(seen, *FAIR)

    def upper(r):
        reach = judge.value - judge.low if r > 0 else judge.high - judge.value
        return seen.value - r * judge.value + math.hypot(seen.high - seen.value, r * reach)

    def lower(r):
        reach = judge.high - judge.value if r > 0 else judge.value - judge.low
        return seen.value - r * judge.value - math.hypot(seen.value - seen.low, r * reach)

    assert found.value == pytest.approx(seen.value / judge.value)
    assert found.high == pytest.approx(min(1, brentq(upper, -10, 10)))
    assert found.low == pytest.approx(max(-1, brentq(lower, -10, 10)))
    assert found.high - found.low > (seen.high - seen.low) / judge.value or abs(found.high) == 1 or abs(found.low) == 1


def test_turning_the_policies_round_turns_the_interval_round():
    one, two = unpaired_difference(30, 40, 18, 40), unpaired_difference(18, 40, 30, 40)
    found, turned = corrected_difference(one, *FAIR), corrected_difference(two, *FAIR)
    assert (turned.value, turned.low, turned.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_a_judge_that_may_be_guessing_corrects_nothing_and_says_so():
    seen = unpaired_difference(30, 40, 18, 40)
    for found in (
        corrected_difference(seen, 12, 20, 11, 20),
        corrected_difference_sequence(unpaired_difference(30, 40, 18, 40, 0.975), 12, 20, 11, 20),
        corrected_bias([0.2, 0.4], [0.2, 0.5], 12, 20, 11, 20),
    ):
        assert (found.value, found.low) == (None, None)
        assert "not known to tell success from failure" in found.reason
    assert "no labelled" in corrected_difference(seen, 12, 20, 0, 0).reason
    assert corrected_difference(unpaired_difference(0, 0, 3, 4), *FAIR).reason == "no trials on one side"


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"found level .*, expected .* in all"):
        corrected_difference_sequence(unpaired_difference(30, 40, 18, 40), *FAIR)
    with pytest.raises(ValueError, match="true_positives: found 3"):
        youden_index(3, 2, 1, 2)
    with pytest.raises(ValueError, match="found 2 and 1 rates"):
        corrected_bias([0.1, 0.2], [0.3], *FAIR)


def drawn_pairs(rng):
    """Pairs of true outcomes of two policies, their true difference, and a judge with labelled cases."""
    n, labelled, se, sp = int(rng.integers(40, 151)), int(rng.integers(30, 101)), *rng.uniform(0.75, 0.98, 2)
    both, first, second, neither = rng.dirichlet((2, 1, 1, 2))
    cell = rng.choice(4, n, p=[both, first, second, neither])
    truth = np.isin(cell, (0, 1)), np.isin(cell, (0, 2))
    table = paired_table(*(called(t, rng, se, sp) for t in truth))
    return table, first - second, matrix(rng, se, sp, labelled)


def test_intervals_of_differences_cover():
    rng, hits, naive, peeking = np.random.default_rng(0), [], [], []
    for i in range(800):
        table, target, counts = drawn_pairs(rng)
        seen = paired_difference(table)
        found = corrected_difference(seen, *counts)
        if found.value is None:
            continue
        hits.append(found.low <= target <= found.high)
        naive.append(seen.low <= target <= seen.high)
        if i < 100:
            wide = corrected_difference_sequence(paired_difference_sequence(table, 0.975), *counts)
            peeking.append(wide.value is None or wide.low <= target <= wide.high)
    assert np.mean(hits) > 0.94
    assert np.mean(naive) < 0.9
    assert np.mean(peeking) > 0.99


def test_the_bias_is_corrected_and_its_interval_covers():
    rng, hits, naive = np.random.default_rng(1), [], []
    for _ in range(1_500):
        k, n, shift, se, sp = int(rng.integers(4, 13)), 60, *rng.uniform(-0.1, 0.1, 1), *rng.uniform(0.75, 0.98, 2)
        real = rng.uniform(0.3, 0.7, k)
        predicted = np.clip(real + shift + rng.normal(0, 0.05, k), 0, 1)
        seen = rng.binomial(n, predicted * se + (1 - predicted) * (1 - sp)) / n
        found = corrected_bias(seen, rng.binomial(n, real) / n, *matrix(rng, se, sp, 60))
        raw = bias(seen, real)
        if found.value is not None:
            hits.append(found.low <= shift <= found.high)
            naive.append(raw.low <= shift <= raw.high)
    assert np.mean(hits) > 0.94
    assert np.mean(naive) < 0.85


def test_a_rate_that_was_peeked_at_is_wider_and_covers():
    fixed, peeking = corrected_rate(60, 100, *FAIR), corrected_rate_sequence(60, 100, *FAIR)
    assert peeking.value == fixed.value
    assert peeking.low < fixed.low < fixed.high < peeking.high
    sure, seen = corrected_rate_sequence(60, 100, *SURE), confidence_sequence(60, 100, 0.975)
    assert (sure.low, sure.high) == pytest.approx((seen.low, seen.high), abs=1e-5)
    assert corrected_rate_sequence(0, 0, *FAIR).value is None
    rng, hits = np.random.default_rng(2), []
    for _ in range(150):
        rate, se, sp = *rng.uniform(0.1, 0.9, 1), *rng.uniform(0.75, 0.98, 2)
        k = int(rng.binomial(80, rate * se + (1 - rate) * (1 - sp)))
        found = corrected_rate_sequence(k, 80, *matrix(rng, se, sp, 50))
        hits.append(found.low <= rate <= found.high)
    assert np.mean(hits) > 0.98


@pytest.mark.parametrize("se_sp", [(0.95, 0.9), (0.7, 0.6)])
def test_what_a_correction_that_all_policies_share_cannot_change(se_sp):
    """Every correlation and the MMRV of real gaps; one weighed by predicted gaps, and the bias, do change."""
    rng, (se, sp) = np.random.default_rng(3), se_sp
    seen, real = rng.uniform(1 - sp, se, 9), rng.uniform(0, 1, 9)
    corrected = (seen + sp - 1) / (se + sp - 1)
    for statistic in CORRELATIONS.values():
        assert statistic.values(corrected, real) == pytest.approx(statistic.values(seen, real))
    for ties in ("strict_less", "strict_greater", "sign_product"):
        convention = MmrvConvention(ties)
        assert mmrv(corrected, real, convention).value == pytest.approx(mmrv(seen, real, convention).value)
        of_predicted = MmrvConvention(ties, "predicted")
        ratio = mmrv(corrected, real, of_predicted).value / mmrv(seen, real, of_predicted).value
        assert ratio == pytest.approx(1 / (se + sp - 1))
    assert bias(corrected, real).value != pytest.approx(bias(seen, real).value)
