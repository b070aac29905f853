"""What may be looked at after every trial: covers at all times at once, by enumeration; published numbers; nothing from nothing."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import beta, binom

from reverie.stats import (
    PairedTable,
    clopper_pearson,
    confidence_sequence,
    paired_difference_sequence,
    sequential_paired,
    sequential_unpaired,
    unpaired_difference_sequence,
)
from reverie.stats.e_values import paired_evidence, unpaired_evidence
from reverie.stats.sequences import paired_limits, rate_limits


def test_published_and_by_hand():
    found = confidence_sequence(9, 10)
    assert (found.low, found.high) == pytest.approx((0.4549, 0.9995), abs=5.1e-5)  # facts: Robbins' mixture
    # With no success, (1 - p)^n = (1 - level) / (n + 1).
    assert confidence_sequence(0, 10).high == pytest.approx(1 - (0.05 / 11) ** (1 / 10), abs=1e-9)


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5, 0.77])
def test_a_rate_is_ever_left_out_with_at_most_alpha(rate):
    """Exact: the chance of counts whose interval never left the rate out, after each of 150 trials."""
    alive = np.array([1.0])
    for n in range(1, 151):
        k = np.arange(n + 1)
        alive = np.append(alive * (1 - rate), 0) + np.append(0, alive * rate)
        low, high = rate_limits(k, np.full(n + 1, n), 0.9)
        alive = np.where((low <= rate) & (rate <= high), alive, 0)
    assert 0.9 <= alive.sum() < 1


@pytest.mark.parametrize("p", [(0.3, 0.1), (0.05, 0.05), (0.6, 0.3), (0.0, 0.2)])
def test_a_paired_difference_is_ever_left_out_with_at_most_alpha(p):
    """Exact over all orders of 40 pairs; alive[b, c]."""
    (p_b, p_c), alive = p, np.ones((1, 1))
    for n in range(1, 41):
        grown = np.zeros((n + 1, n + 1))
        grown[:-1, :-1] += alive * (1 - p_b - p_c)
        grown[1:, :-1] += alive * p_b
        grown[:-1, 1:] += alive * p_c
        b, c = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        possible = b + c <= n
        low, high = paired_limits(b[possible], c[possible], np.full(possible.sum(), n), 0.9)
        grown[possible] *= (low - 1e-9 <= p_b - p_c) & (p_b - p_c <= high + 1e-9)
        alive = np.where(possible, grown, 0)
    assert 0.9 <= alive.sum() <= 1


def best(table, difference):
    """The largest likelihood with this difference, by brute force."""
    b, c, rest = table.first_only, table.second_only, table.both + table.neither

    def cost(q):
        return -(b * np.log(q + difference) + c * np.log(q) + rest * np.log(1 - 2 * q - difference))

    bounds = (max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12)
    return -minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-12}).fun


@pytest.mark.parametrize("table", [PairedTable(10, 12, 5, 9), PairedTable(59, 6, 16, 80)])
def test_paired_limits_are_where_the_mixture_is_twenty_times_likelier(table):
    from math import factorial, log

    b, c, rest = table.first_only, table.second_only, table.both + table.neither
    mixture = log(2) + sum(log(factorial(x)) for x in (b, c, rest)) - log(factorial(table.n + 2))
    found = paired_difference_sequence(table)
    for limit in (found.low, found.high):
        assert mixture - best(table, limit) == pytest.approx(np.log(20), abs=1e-5)


def test_unpaired_limits_are_where_the_mixture_is_twenty_times_likelier():
    found = unpaired_difference_sequence(14, 20, 9, 25)
    mixture = np.log(1 / 21 / binom.pmf(14, 20, 0.7) * 0.7**14 * 0.3**6) + np.log(
        1 / 26 / binom.pmf(9, 25, 0.36) * 0.36**9 * 0.64**16
    )
    rates = np.linspace(1e-4, 1, 200_000)[:-1]
    for limit in (found.low, found.high):
        p = rates[(rates + limit > 0) & (rates + limit < 1)]
        first, second = p + limit, p
        likelihood = 14 * np.log(first) + 6 * np.log1p(-first) + 9 * np.log(second) + 16 * np.log1p(-second)
        assert mixture - likelihood.max() == pytest.approx(np.log(20), abs=1e-3)


def test_wider_than_a_fixed_n_and_never_beyond_the_possible():
    exact, always = clopper_pearson(30, 50), confidence_sequence(30, 50)
    assert always.low < exact.low < exact.high < always.high
    assert always.high - always.low < 1.7 * (exact.high - exact.low)
    for n in (1, 4):
        for k in range(n + 1):
            found = unpaired_difference_sequence(k, n, n - k, n)
            assert -1 <= found.low <= found.value <= found.high <= 1
            paired = paired_difference_sequence(PairedTable(0, k, n - k, 0))
            assert -1 <= paired.low <= paired.value <= paired.high <= 1


def test_evidence_by_hand():
    wins, losses = np.array([1, 1, 1, 1.0]), np.array([0, 0, 0, 1.0])
    # 2^3 B(4, 1) = 2; a pair that agrees changes nothing; all of it on the side of the first: 2 x 15/16 of it.
    assert np.exp(paired_evidence(wins, losses)) == pytest.approx([1, 4 / 3, 2, 2])
    assert np.exp(paired_evidence(wins, losses, "greater"))[-1] == pytest.approx(4 * beta.sf(0.5, 4, 1))
    # Predicted 2/3 and 1/3 against 1/2 each; then 3/4 and 1/4.
    assert np.exp(unpaired_evidence([1, 1], [0, 0], "greater")) == pytest.approx([16 / 9, 4])
    assert np.exp(unpaired_evidence([0, 0], [1, 1], "less")) == pytest.approx([16 / 9, 4])


def sequences(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_bets_cost_nothing_on_average_where_nothing_is_to_be_found(alternative, rate):
    """Exact: the mean e-value over all outcomes of five trials of two policies of one rate is at most 1."""
    all_of = sequences(5).astype(float)
    chance = np.prod(np.where(all_of == 1, rate, 1 - rate), axis=1)
    for evidence, bound in ((paired_evidence, 1.0), (unpaired_evidence, 1.0)):
        mean = sum(
            p * q * np.exp(evidence(x, y, alternative)[-1])
            for x, p in zip(all_of, chance, strict=True)
            for y, q in zip(all_of, chance, strict=True)
        )
        assert mean <= bound + 1e-9


def test_a_difference_is_found_and_its_side_named():
    rng = np.random.default_rng(1)
    good, bad = (rng.random(300) < 0.8) * 1, (rng.random(300) < 0.5) * 1
    for test in (sequential_paired, sequential_unpaired):
        assert test(good, bad).value < 0.01
        assert test(good, bad, "greater").value < 0.01
        assert test(good, bad, "less").value == pytest.approx(1, abs=0.2)
        assert test(bad, good).value == pytest.approx(test(good, bad).value)
    assert sequential_unpaired(good[:200], bad).n == 400
    assert "peeking-safe" in sequential_paired(good, bad).method


def test_p_never_rises_with_more_trials():
    rng = np.random.default_rng(2)
    one, two = rng.integers(0, 2, 80), rng.integers(0, 2, 80)
    p = [sequential_paired(one[:n], two[:n]).value for n in range(1, 81)]
    assert (np.diff(p) <= 0).all()


def test_nothing_is_absent():
    assert confidence_sequence(0, 0).reason == "no trials"
    assert paired_difference_sequence(PairedTable(0, 0, 0, 0)).reason == "no pairs"
    assert unpaired_difference_sequence(0, 0, 1, 2).value is None
    assert sequential_paired([], []).reason == "no pairs"
    assert sequential_unpaired([1], []).value is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confidence_sequence(3, 2), "successes: found 3"),
        (lambda: confidence_sequence(1, 2, 95), "level: found 95"),
        (lambda: unpaired_difference_sequence(1, 2, 3, 2), "second_successes: found 3"),
        (lambda: sequential_paired([1, 0], [1]), "found 2 and 1 outcomes"),
        (lambda: sequential_paired([1], [np.nan]), "second: found nan"),
        (lambda: sequential_unpaired([0.5], [1]), "first: found 0.5"),
        (lambda: sequential_unpaired([1], [1], "better"), "alternative: found 'better'"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
