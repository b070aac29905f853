"""The coverage bench finds what is wrong: intervals that are too short, tests that look too often."""

import sys
from pathlib import Path

import numpy as np
import pytest

from reverie.core import Estimate
from reverie.stats import PairedTable, PValue, wilson

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import coverage as bench
import coverage_exact as exact
from coverage_found import drawn


def wald(k: int, n: int) -> Estimate:
    """The textbook interval, known to be too short."""
    p = k / n
    reach = 1.96 * np.sqrt(p * (1 - p) / n)
    return Estimate(p, p - reach, p + reach, n, "Wald", 0.95)


def test_an_interval_that_is_too_short_does_not_hold() -> None:
    found = exact.binomial(wald, 0)
    assert not bench.ON_AVERAGE.holds(found)
    assert found.mean == pytest.approx(0.639, abs=0.002)  # n = 5
    assert not bench.NEVER_BELOW.holds(exact.binomial(wilson, 0))


def test_a_test_that_rejects_too_often_does_not_hold() -> None:
    def always(table: PairedTable) -> PValue:
        return PValue(0.01, table.n, "m", "two-sided")

    assert not bench.AT_MOST.holds(exact.mcnemar(always, 0))


@pytest.mark.parametrize("name", ["wilson", "jeffreys", "clopper_pearson"])
def test_binomial_rows_hold(name: str) -> None:
    _, found = bench.measured((name, 1))
    assert found["holds"]
    assert set(found["parts"]) == {f"n_{n}" for n in (5, 10, 20, 50, 100, 200)}


SIMULATED = (
    "fisher_z_pearson", "bias", "bootstrap_mean", "trial_bootstrap_mmrv", "clustered_accuracy", "kappa", "bradley_terry",
    "sequential_unpaired", "permutation_p", "holm", "accuracy_beats_majority",
)  # fmt: skip


@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_rows_run_and_repeat(name: str) -> None:
    _, found = bench.measured((name, 20))
    _, again = bench.measured((name, 20))
    assert found["value"] == again["value"]
    assert found["n"] + found["undefined"] == 20
    assert "DOES NOT HOLD" in bench.told(name, found) or found["holds"]


def test_what_is_undefined_is_counted_beside() -> None:
    found = drawn(lambda rng: None if rng.random() < 0.5 else True, 100)
    assert found.mean == 1
    assert found.undefined + found.n == 100
    assert drawn(lambda rng: None, 3).undefined == 3
