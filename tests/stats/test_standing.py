"""Letters, power and strengths: properties, published data, brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, multinomial

from reverie.stats import (
    PairedTable,
    boschloo,
    bradley_terry,
    compact_letters,
    exact_mcnemar,
    paired_power,
    paired_sample_size,
    unpaired_power,
    unpaired_sample_size,
)


def matrix(k, pairs):
    found = np.zeros((k, k), dtype=bool)
    for i, j in pairs:
        found[i, j] = found[j, i] = True
    return found


def test_letters_by_hand():
    assert compact_letters(matrix(3, [(0, 2)])) == ["a", "ab", "b"]
    assert compact_letters(matrix(3, [(0, 1), (0, 2)])) == ["a", "b", "b"]
    assert compact_letters(matrix(4, [])) == ["a"] * 4
    # A middle one apart from both ends, which are not apart from each other.
    assert compact_letters(matrix(3, [(0, 1), (1, 2)])) == ["a", "b", "a"]
    assert compact_letters(matrix(30, product(range(30), range(30))) & ~np.eye(30, dtype=bool))[-1] == "(30)"


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 8).flatmap(lambda k: st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1))).map(lambda p: (k, p))))  # fmt: skip
def test_two_share_a_letter_if_and_only_if_they_are_not_separated(drawn):
    k, pairs = drawn
    separated = matrix(k, [(i, j) for i, j in pairs if i != j])
    letters = compact_letters(separated)
    for i, j in product(range(k), range(k)):
        assert bool(set(letters[i]) & set(letters[j])) != separated[i, j]


@pytest.mark.parametrize("bad", [np.zeros((2, 3), bool), np.ones((2, 2), bool), np.zeros((2, 2)), np.triu(matrix(3, [(0, 1)]))])  # fmt: skip
def test_letters_refuse_what_is_no_comparison(bad):
    with pytest.raises(ValueError, match="separated: found"):
        compact_letters(bad)


def test_paired_power_is_the_share_of_tables_that_mcnemar_rejects():
    n, p_b, p_c = 18, 0.45, 0.1
    tables = [(b, c, n - b - c) for b in range(n + 1) for c in range(n + 1 - b)]
    rejected = [exact_mcnemar(PairedTable(0, b, c, rest)).value <= 0.05 for b, c, rest in tables]
    expected = multinomial.pmf(tables, n, [p_b, p_c, 1 - p_b - p_c])[rejected].sum()
    assert paired_power(p_b, p_c, n) == pytest.approx(expected)
    assert paired_power(p_c, p_b, n) == pytest.approx(expected)
    assert paired_power(0.3, 0.3, n) <= 0.05


def test_paired_sample_size_is_where_power_is_reached():
    n = paired_sample_size(0.2, 0.1)
    assert paired_power(0.2, 0.1, n) >= 0.8 > paired_power(0.2, 0.1, n - 1)
    # Miettinen 1968, Biometrics 24, 339-352: the large-sample size is (z_a sqrt(s) + z_b sqrt(s - d^2))^2 / d^2 = 234.
    assert 234 <= n <= 260
    assert paired_sample_size(0.1, 0.1) is None
    assert paired_sample_size(0.5, 0.499) is None


def test_unpaired_sizes_of_cohens_arcsine():
    assert [unpaired_sample_size(*p) for p in ((0.5, 0.7), (0.8, 0.9), (0.9, 0.95))] == [93, 195, 424]
    assert unpaired_sample_size(0.5, 0.5) is None


def test_unpaired_power_is_the_share_of_tables_that_boschloo_rejects():
    assert unpaired_power(0.5, 0.9, 10) == pytest.approx(0.471, abs=5e-4)  # facts: the exact unconditional test
    n, first, second = 7, 0.9, 0.2
    expected = sum(
        binom.pmf(i, n, first) * binom.pmf(j, n, second)
        for i, j in product(range(n + 1), range(n + 1))
        if boschloo(i, n, j, n).value <= 0.05
    )
    assert unpaired_power(first, second, n) == pytest.approx(expected, abs=1e-9)


TEAMS = {
    "Milwaukee": (0, 7, 9, 7, 7, 9, 11),
    "Detroit": (6, 0, 7, 5, 11, 9, 9),
    "Toronto": (4, 6, 0, 7, 7, 8, 12),
    "New York": (6, 8, 6, 0, 6, 7, 10),
    "Boston": (6, 2, 6, 7, 0, 7, 12),
    "Cleveland": (4, 4, 5, 6, 6, 0, 6),
    "Baltimore": (2, 4, 1, 3, 1, 7, 0),
}


def games():
    rows = []
    for i, won in enumerate(TEAMS.values()):
        for j, count in enumerate(won):
            row = np.full(len(TEAMS), np.nan)
            row[i], row[j] = 1, 0
            rows += [row] * count if i != j else []
    return np.array(rows)


def test_strengths_of_the_american_league():
    """1987 season, Agresti (2002, Categorical Data Analysis, sec. 10.6): log strengths above Baltimore, without a prior."""
    found = [e.value for e in bradley_terry(games(), prior_sd=1e4)]
    above = np.subtract(found, found[-1])
    assert above == pytest.approx([1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0], abs=2e-4)


def test_two_policies_have_the_posterior_of_one_logistic_difference():
    outcomes = np.array([[1, 0]] * 9 + [[0, 1]] * 3 + [[1, 1]] * 5)
    found = bradley_terry(outcomes)
    # The difference has a normal prior of variance 2 x 2^2.
    best = minimize_scalar(lambda d: 9 * np.log1p(np.exp(-d)) + 3 * np.log1p(np.exp(d)) + d**2 / 16).x
    assert found[0].value - found[1].value == pytest.approx(best, abs=1e-5)
    assert found[0].n == 12
    assert found[0].low < found[0].value < found[0].high
    assert found[0].value == pytest.approx(-found[1].value)


def test_an_unbeaten_policy_is_finite_and_uncertain():
    found = bradley_terry([[1, 0, 0], [1, 0, 1], [1, 1, 0]] * 4)
    assert 1 < found[0].value < 6
    assert found[0].high - found[0].low > 1


def test_strengths_are_shrunk_where_evidence_is_thin():
    few, many = (bradley_terry([[1, 0]] * (3 * n) + [[0, 1]] * n)[0] for n in (1, 50))
    assert 0 < few.value < many.value < np.log(3) / 2
    assert many.high - many.low < few.high - few.low


def test_strengths_of_nothing_are_absent():
    assert [e.value for e in bradley_terry([[1, 1], [0, 0]])] == [None, None]
    found = bradley_terry([[1, 0, np.nan], [0, 1, np.nan]])
    assert [e.reason for e in found] == [None, None, "in no discordant pair"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bradley_terry([[1, 0.5]]), "outcomes: found 0.5"),
        (lambda: bradley_terry([1, 0]), "outcomes: found shape"),
        (lambda: paired_power(0.7, 0.5, 10), "expected a sum of at most 1"),
        (lambda: paired_power(0.7, 0.1, 1.5), "n: found 1.5"),
        (lambda: unpaired_power(0.7, 1.1, 10), r"expected rates in \[0, 1\]"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
