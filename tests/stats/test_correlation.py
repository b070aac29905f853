"""Correlations against scipy and by hand; constant input is absent; permutations are exact."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from reverie.stats import CORRELATIONS, correlation, drop_one_range, permutation_p

KINDS = ["pearson", "spearman", "kendall"]
SCIPY = {"pearson": scipy_stats.pearsonr, "spearman": scipy_stats.spearmanr, "kendall": scipy_stats.kendalltau}

# SIMPLER (arXiv:2405.05941), pick coke can and move near, visual matching: simulated and real success.
COKE = ([0.787, 0.857, 0.710, 0.567, 0.027, 0.170], [0.907, 0.853, 0.920, 0.760, 0.133, 0.293])
NEAR = ([0.779, 0.442, 0.354, 0.317, 0.050, 0.042], [0.733, 0.633, 0.583, 0.450, 0.017, 0.350])


@pytest.mark.parametrize(("table", "published"), [(COKE, 0.976), (NEAR, 0.855)])
def test_published_pearson(table, published):
    """The published values come from rates that were not yet rounded."""
    assert correlation(*table).value == pytest.approx(published, abs=0.0015)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decimals", [1, 6])
def test_agrees_with_scipy_with_and_without_ties(kind, decimals):
    rng = np.random.default_rng(3)
    for _ in range(20):
        x = rng.random(9).round(decimals)
        y = (x + rng.normal(0, 0.4, 9)).round(decimals)
        assert correlation(x, y, kind).value == pytest.approx(SCIPY[kind](x, y).statistic, abs=1e-12)


def test_fisher_interval_of_pearson_agrees_with_scipy():
    limits = scipy_stats.pearsonr(*COKE).confidence_interval(0.9)
    found = correlation(*COKE, level=0.9)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=1e-12)
    assert found.n == 6


def test_fisher_interval_of_ranks_by_hand():
    predicted, real = [1, 2, 3, 4, 5, 6, 7], [2, 1, 4, 3, 5, 7, 6]
    rho = 1 - 6 * 6 / (7 * 48)
    tau = (21 - 2 * 3) / 21
    for kind, r, se in (("spearman", rho, math.sqrt((1 + rho**2 / 2) / 4)), ("kendall", tau, math.sqrt(0.437 / 3))):
        found = correlation(predicted, real, kind)
        assert found.value == pytest.approx(r)
        reach = 1.959963985 * se
        assert found.low == pytest.approx(math.tanh(math.atanh(r) - reach), abs=1e-9)
        assert found.high == pytest.approx(math.tanh(math.atanh(r) + reach), abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "k", "factor"), [("pearson", 8, 0.01), ("spearman", 8, 0.015), ("kendall", 12, 0.015)]
)
def test_fisher_interval_covers(kind, k, factor):
    """20,000 normal samples with rho = .6; Spearman's and Kendall's targets follow from rho in closed form."""
    rho = 0.6
    target = {"pearson": rho, "spearman": 6 / np.pi * np.arcsin(rho / 2), "kendall": 2 / np.pi * np.arcsin(rho)}[kind]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, k))
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=x.shape)
    r = CORRELATIONS[kind].values(x, y)
    spread = {"pearson": 1 / (k - 3), "spearman": (1 + r**2 / 2) / (k - 3), "kendall": 0.437 / (k - 4)}[kind]
    with np.errstate(divide="ignore"):
        covered = np.abs(np.arctanh(r) - np.arctanh(target)) <= 1.96 * np.sqrt(spread)
    assert covered.mean() == pytest.approx(0.95, abs=factor)


@pytest.mark.parametrize("kind", KINDS)
def test_symmetric_and_invariant(kind):
    rng = np.random.default_rng(1)
    x, y = rng.random(8), rng.random(8)
    order = rng.permutation(8)
    value = correlation(x, y, kind).value
    assert correlation(y, x, kind).value == pytest.approx(value, abs=1e-12)
    assert correlation(x[order], y[order], kind).value == pytest.approx(value, abs=1e-12)
    assert correlation(-3 * x + 1, y, kind).value == pytest.approx(-value, abs=1e-12)
    if kind != "pearson":
        assert correlation(np.exp(5 * x), y, kind).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("constant", [[0.5] * 6, [0.3, 0.1 + 0.2, 0.3, 0.3, 0.3, 0.3]])
def test_constant_input_is_absent_with_a_reason(kind, constant):
    real = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found = correlation(constant, real, kind)
    assert found.value is None
    assert "predicted is constant" in found.reason
    assert "real is constant" in correlation(real, constant, kind).reason
    assert correlation(constant, constant, kind).value is None
    assert permutation_p(constant, real, kind).value is None
    dropped = drop_one_range(constant, real, kind)
    assert dropped.low is None
    assert "constant" in dropped.reason


def test_few_policies():
    assert correlation([0.1, 0.2], [0.2, 0.3]).value is None
    three = correlation([0.1, 0.2, 0.5], [0.2, 0.3, 0.1])
    assert three.value is not None
    assert three.low is None
    assert "too few" in three.reason
    assert drop_one_range([0.1, 0.2, 0.5], [0.2, 0.3, 0.1]).low is None


def test_a_perfect_correlation_has_no_fisher_interval():
    found = correlation([1, 2, 3, 4, 5], [10, 20, 30, 40, 50], "spearman")
    assert found.value == 1
    assert found.low is None
    assert "infinite" in found.reason


def test_drop_one_finds_the_policy_that_carries_it():
    predicted, real = [0.1, 0.2, 0.15, 0.12, 0.9], [0.2, 0.1, 0.15, 0.22, 0.95]
    found = drop_one_range(predicted, real)
    assert correlation(predicted, real).value > 0.97
    assert found.low_without == 4
    assert found.low == pytest.approx(scipy_stats.pearsonr(predicted[:4], real[:4]).statistic)
    assert found.low < -0.8
    assert found.high == pytest.approx(
        max(scipy_stats.pearsonr(np.delete(predicted, i), np.delete(real, i)).statistic for i in range(5))
    )


def test_drop_one_counts_the_ways_that_are_constant():
    found = drop_one_range([0.5, 0.5, 0.5, 0.5, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert "1 without a correlation" in found.method
    assert found.low is not None


@pytest.mark.parametrize("kind", KINDS)
def test_permutations_are_exact(kind):
    predicted, real = [0.2, 0.4, 0.4, 0.7, 0.9], [0.1, 0.5, 0.3, 0.3, 0.8]
    values = [SCIPY[kind](list(order), real).statistic for order in itertools.permutations(predicted)]
    observed = SCIPY[kind](predicted, real).statistic
    upper = np.mean(np.array(values) >= observed - 1e-9)
    lower = np.mean(np.array(values) <= observed + 1e-9)
    assert permutation_p(predicted, real, kind).value == pytest.approx(upper)
    assert permutation_p(predicted, real, kind, "less").value == pytest.approx(lower)
    assert permutation_p(predicted, real, kind, "two-sided").value == pytest.approx(min(1, 2 * min(upper, lower)))


def test_equal_correlations_count_as_equal():
    """Rates in tenths make many equal sums that differ in their last digits; integers are exact. Worst at r = 0."""
    rng = np.random.default_rng(0)
    uncorrelated = np.array([[1, 2, 3, 4, 5, 6], [3, 1, 0, 0, 1, 3]])
    for x, y in [uncorrelated, *rng.integers(0, 10, (20, 2, 6))]:
        sums = np.array([np.dot(order, y) for order in itertools.permutations(x)])
        assert permutation_p(x / 10, y / 10).value == pytest.approx(np.mean(sums >= np.dot(x, y)))


@pytest.mark.parametrize("k", [3, 5, 8])
def test_smallest_exact_p(k):
    found = permutation_p(range(k), range(k), "spearman")
    assert found.value == pytest.approx(1 / math.factorial(k))
    assert "exact, all pairings" in found.method


def test_monte_carlo_says_so_and_is_near_the_exact_p():
    rng = np.random.default_rng(2)
    x = rng.random(9)
    y = x + rng.normal(0, 0.5, 9)
    found = permutation_p(x, y)
    assert "Monte Carlo, 100000 draws, seed 0" in found.method
    assert found == permutation_p(x, y)
    exact = scipy_stats.permutation_test(
        (x,),
        lambda a, axis: (a * y).sum(axis),
        permutation_type="pairings",
        n_resamples=np.inf,
        alternative="greater",
        batch=20_000,
    )
    assert found.value == pytest.approx(exact.pvalue, abs=4 * math.sqrt(exact.pvalue / 100_000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, float("nan"), 0.3], [0.1, 0.2, 0.3]), "predicted: found nan at index 1"),
        (([0.1, 0.2], [0.1, 0.2, 0.3]), "found 2 and 3 values"),
        (([[0.1, 0.2]], [0.1, 0.2]), r"predicted: found shape \(1, 2\)"),
        (([0.1, 0.2, 0.3], ["a", "b", "c"]), "real: found .* expected a list of numbers"),
        (([0.1, None, 0.3], [0.1, 0.2, 0.3]), "predicted: found nan at index 1"),
        (([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], "cosine"), "kind: found 'cosine', expected one of pearson"),
    ],
)
@pytest.mark.parametrize("function", [correlation, drop_one_range, permutation_p])
def test_bad_arguments(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
