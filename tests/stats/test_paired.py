"""Two policies: exact tests by enumeration, published intervals, symmetry."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom, fisher_exact, multinomial

from reverie.stats import (
    PairedTable,
    PValue,
    boschloo,
    exact_mcnemar,
    holm,
    paired_difference,
    paired_table,
    unpaired_difference,
)


def test_paired_table_counts_the_four_cells():
    assert paired_table([1, 1, 0, 0, 1], [1, 0, 1, 0, 0]) == PairedTable(1, 2, 1, 1)
    assert paired_table(np.array([True, False]), np.array([False, False])) == PairedTable(0, 1, 0, 1)


def test_mcnemar_published():
    assert exact_mcnemar(PairedTable(20, 10, 2, 8)).value == pytest.approx(0.0386, abs=5e-5)
    # Fagerland, Lydersen & Laake 2013, BMC Med. Res. Methodol. 13:91: (1, 7) exact conditional p .0703.
    assert exact_mcnemar(PairedTable(1, 1, 7, 12)).value == pytest.approx(0.0703, abs=5e-5)


@pytest.mark.parametrize(("first_only", "second_only"), [(0, 3), (4, 1), (6, 6)])
def test_mcnemar_by_enumeration(first_only, second_only):
    m = first_only + second_only
    upper = sum(binom.pmf(k, m, 0.5) for k in range(first_only, m + 1))
    lower = sum(binom.pmf(k, m, 0.5) for k in range(first_only + 1))
    table = PairedTable(3, first_only, second_only, 2)
    assert exact_mcnemar(table, "greater").value == pytest.approx(upper)
    assert exact_mcnemar(table, "less").value == pytest.approx(lower)
    assert exact_mcnemar(table).value == pytest.approx(min(1, 2 * min(upper, lower)))
    swapped = PairedTable(3, second_only, first_only, 2)
    assert exact_mcnemar(swapped).value == pytest.approx(exact_mcnemar(table).value)


def test_mcnemar_without_evidence():
    assert exact_mcnemar(PairedTable(4, 0, 0, 3)).value == 1
    assert exact_mcnemar(PairedTable(0, 0, 0, 0)) == PValue(
        None, 0, "exact McNemar, 0 against 0 discordant pairs", "two-sided", "no pairs"
    )


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Fagerland, Lydersen & Laake 2014 (airway hyper-responsiveness); Newcombe's N = 50, b = 12, c = 2.
        (PairedTable(1, 1, 7, 12), -0.517, -0.026),
        (PairedTable(36, 12, 2, 0), 0.0611, 0.3447),
        # No discordant pair: +-z^2 / (N + z^2).
        (PairedTable(5, 0, 0, 5), -0.27753, 0.27753),
    ],
)
def test_tango_published(table, low, high):
    found = paired_difference(table)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)


def score(table, difference):
    """The score statistic with its nuisance parameter found by brute maximisation of the likelihood."""
    b, c, n = table.first_only, table.second_only, table.n

    def minus_log_likelihood(q):
        return -(b * np.log(q + difference) + c * np.log(q) + (n - b - c) * np.log(1 - 2 * q - difference))

    bounds = (max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12)
    q = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (b - c - n * difference) / np.sqrt(n * (2 * q + difference * (1 - difference)))


@pytest.mark.parametrize("table", [PairedTable(10, 12, 5, 9), PairedTable(59, 6, 16, 80), PairedTable(0, 3, 9, 1)])
def test_tango_limits_invert_the_score_test(table):
    found = paired_difference(table)
    assert score(table, found.low) == pytest.approx(1.959964, abs=1e-4)
    assert score(table, found.high) == pytest.approx(-1.959964, abs=1e-4)


def test_paired_difference_of_every_small_table():
    for b in range(7):
        for c in range(7 - b):
            found = paired_difference(PairedTable(0, b, c, 6 - b - c))
            assert -1 <= found.low <= found.value <= found.high <= 1
            swapped = paired_difference(PairedTable(0, c, b, 6 - b - c))
            assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_tango_covers_on_average():
    """Exact coverage over all tables of 25 pairs, averaged over a grid of discordant probabilities."""
    n = 25
    cells = [(b, c, n - b - c) for b in range(n + 1) for c in range(n + 1 - b)]
    limits = [paired_difference(PairedTable(0, b, c, rest)) for b, c, rest in cells]
    low, high = np.array([e.low for e in limits]), np.array([e.high for e in limits])
    coverage = []
    for p_b in np.arange(0.05, 0.5, 0.1):
        for p_c in np.arange(0.05, 0.5, 0.1):
            weight = multinomial.pmf(cells, n, [p_b, p_c, 1 - p_b - p_c])
            coverage.append(weight[(low <= p_b - p_c) & (p_b - p_c <= high)].sum())
    assert np.mean(coverage) == pytest.approx(0.95, abs=0.01)
    assert min(coverage) > 0.92


def test_no_pairs_is_absent():
    assert paired_difference(PairedTable(0, 0, 0, 0)).value is None


def test_boschloo_against_scipys_documentation():
    assert boschloo(74, 117, 31, 63, "greater").value == pytest.approx(0.0355, abs=2e-4)
    assert boschloo(31, 63, 74, 117, "less").value == pytest.approx(0.0355, abs=2e-4)


def test_boschloo_by_brute_force():
    """The largest chance, over the common rate, of a table with no larger Fisher p than the one seen."""
    n_1, n_2, seen = 7, 6, (6, 1)

    def fisher(a, b):
        return fisher_exact([[a, b], [n_1 - a, n_2 - b]], alternative="greater").pvalue

    tables = [(a, b) for a in range(n_1 + 1) for b in range(n_2 + 1) if fisher(a, b) <= fisher(*seen) * (1 + 1e-9)]
    rates = np.linspace(0, 1, 2001)
    chance = sum(binom.pmf(a, n_1, rates) * binom.pmf(b, n_2, rates) for a, b in tables)
    found = boschloo(seen[0], n_1, seen[1], n_2, "greater").value
    assert found == pytest.approx(chance.max(), abs=1e-5)
    assert found <= fisher(*seen)


def test_boschloo_without_evidence():
    assert boschloo(3, 3, 4, 4).value == 1
    assert boschloo(0, 3, 0, 4).value == 1
    assert boschloo(0, 0, 3, 4).value is None
    assert unpaired_difference(0, 0, 3, 4).value is None


def test_unpaired_difference_published():
    """Newcombe 1998, Stat. Med. 17, 873-890, table II, method 10."""
    for (k_1, n_1, k_2, n_2), low, high in (
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ):
        found = unpaired_difference(k_1, n_1, k_2, n_2)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5.1e-5)
        assert found.value == pytest.approx(k_1 / n_1 - k_2 / n_2)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]).size == 0


def test_holm_is_monotone_and_never_smaller():
    p = np.random.default_rng(0).random(20) ** 3
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boschloo(5, 4, 1, 4), "first_successes: found 5 of first_n = 4"),
        (lambda: boschloo(1, 4, 1.5, 4), "second_successes: found 1.5"),
        (lambda: boschloo(1, 4, 1, 4, "bigger"), "alternative: found 'bigger'"),
        (lambda: unpaired_difference(1, 4, -1, 4), "second_successes: found -1"),
        (lambda: PairedTable(1, 2, -3, 4), "second_only: found -3"),
        (lambda: paired_table([0, 1], [0]), "found 2 and 1 outcomes"),
        (lambda: paired_table([0, 0.5], [0, 1]), "first: found 0.5"),
        (lambda: paired_table([0, 1], [0, np.nan]), "second: found nan at index 1"),
        (lambda: exact_mcnemar(PairedTable(1, 2, 3, 4), "x"), "alternative: found 'x'"),
        (lambda: holm([0.1, 1.2]), "p_values: found values from 0.1 to 1.2"),
        (lambda: holm([0.1, np.nan]), "p_values: found nan"),
        (lambda: PValue(1.5, 3, "m", "greater"), "value: found 1.5"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
