"""Every row about predicting the truth runs, small, and the published PPI++ is seen to fall short where ours does not."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import coverage as bench
from coverage_calibration import LEVEL, exact_alone, judged
from reverie.stats import clopper_pearson, corrected_rate

OF_POINTS = [n for n in bench.ROWS if n.startswith(("ppi_", "clopper_pearson_", "fisher_2")) or n in ("corrected_rate", "conformal")]  # fmt: skip


@pytest.mark.parametrize("name", [n for n in OF_POINTS if not n.startswith("ppi_betting")])
def test_rows_of_points_run(name):
    found = bench.ROWS[name].measure(200)
    assert found.lowest <= found.mean <= found.highest
    assert found.n == 200
    assert len(found.parts) >= 6


@pytest.mark.parametrize("name", ["ppi_betting_10", "rate_bootstrap_pearson", "corrected_difference", "corrected_bias"])
def test_slow_rows_run(name):
    found = bench.ROWS[name].measure(20)
    assert found.n == 20
    assert found.mean > 0.5


def test_padding_is_what_makes_few_pairs_cover():
    assert bench.ROWS["ppi_10"].measure(2_000).lowest > 0.94
    assert bench.ROWS["ppi_unpadded_10"].measure(2_000).lowest < 0.5


def test_noise_attenuates_a_correlation():
    assert bench.ROWS["fisher_20_trials"].measure(1_000).lowest < 0.5


@pytest.mark.parametrize("name", ["ppi_30", "ppi_unpadded_10", "clopper_pearson_10", "corrected_difference", "conformal", "fisher_20_trials"])  # fmt: skip
def test_what_the_rules_say_of_these_rows_is_so(name):
    _, found = bench.measured((name, 400))
    assert found["holds"], bench.told(name, found)


def test_counting_kinds_of_repetitions_is_counting_repetitions():
    """The same draws, one by one."""
    rng, rate, n, labelled, se, sp = np.random.default_rng(0), 0.1, 50, 20, 0.9, 0.8
    called = rng.binomial(n, rate * se + (1 - rate) * (1 - sp), 300)
    right = rng.binomial(labelled, se, 300), rng.binomial(labelled, sp, 300)
    found = [corrected_rate(k, n, tp, labelled, tn, labelled) for k, tp, tn in zip(called.tolist(), *(r.tolist() for r in right), strict=True)]  # fmt: skip
    hits = [e.low <= rate <= e.high for e in found if e.low is not None]
    assert dict(judged(300).parts)["rate 0.1, 50 judged, 20 labelled each, 0.9/0.8"] == pytest.approx(np.mean(hits))


def test_limits_that_are_looked_up_are_clopper_pearsons():
    low, high = exact_alone(np.array([[1.0, 1, 0, 0, 0]]), np.zeros((1, 5)), np.zeros(1))
    expected = clopper_pearson(2, 5, LEVEL)
    assert (low[0], high[0]) == (expected.low, expected.high)
