"""One rate: numbers from tables, coverage by enumeration, and what happens with no trials."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from reverie.core.estimate import Estimate
from reverie.stats import clopper_pearson, jeffreys, wilson


@pytest.mark.parametrize(
    ("method", "successes", "n", "low", "high"),
    [
        (wilson, 9, 10, 0.5958, 0.9821),
        (clopper_pearson, 9, 10, 0.5550, 0.9975),
        (wilson, 0, 10, 0.0, 0.2775),
        # Newcombe 1998, Stat. Med. 17, 857-872, table I: methods 3 and 5.
        (wilson, 81, 263, 0.2553, 0.3662),
        (wilson, 15, 148, 0.0624, 0.1605),
        (wilson, 0, 20, 0.0, 0.1611),
        (wilson, 1, 29, 0.0061, 0.1718),
        (clopper_pearson, 81, 263, 0.2527, 0.3676),
        (clopper_pearson, 15, 148, 0.0578, 0.1617),
        (clopper_pearson, 0, 20, 0.0, 0.1684),
        (clopper_pearson, 1, 29, 0.0009, 0.1776),
        (jeffreys, 9, 10, 0.6187, 0.9890),
    ],
)
def test_published_intervals(method, successes, n, low, high):
    found = method(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5.1e-5)
    assert found.value == successes / n
    assert found.n == n


@pytest.mark.parametrize(
    ("successes", "low", "high"), [(0, 0, 0.292), (1, 0.016, 0.501), (2, 0.065, 0.648), (3, 0.139, 0.766)]
)
def test_jeffreys_published(successes, low, high):
    """Brown, Cai & DasGupta 2001, table 5, n = 7."""
    found = jeffreys(successes, 7)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)


def test_zero_failures_bound_the_rate():
    """299 trials without a failure bound the rate below 1 % at one-sided 95 %, which is two-sided 90 %."""
    assert clopper_pearson(0, 299, level=0.90).high < 0.01 < clopper_pearson(0, 298, level=0.90).high


@pytest.mark.parametrize("n", [1, 5, 10, 23])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_clopper_pearson_covers_every_rate(n, level):
    limits = [clopper_pearson(k, n, level) for k in range(n + 1)]
    low, high = np.array([e.low for e in limits]), np.array([e.high for e in limits])
    # Coverage is lowest beside a limit, so those points are looked at too.
    rates = np.unique(np.concatenate([np.linspace(0, 1, 401), low - 1e-9, high + 1e-9, low + 1e-9, high - 1e-9]))
    rates = rates[(rates >= 0) & (rates <= 1)][:, None]
    covered = (low <= rates) & (rates <= high)
    coverage = (binom.pmf(np.arange(n + 1), n, rates) * covered).sum(-1)
    assert coverage.min() >= level - 1e-9


def test_clopper_pearson_is_beta_quantiles():
    found = clopper_pearson(7, 19, 0.9)
    assert found.low == pytest.approx(beta.ppf(0.05, 7, 13), abs=1e-8)
    assert found.high == pytest.approx(beta.ppf(0.95, 8, 12), abs=1e-8)


def test_wilson_covers_on_average():
    """.954 on average over the rate and .842 at worst, at n = 10 (facts, by enumeration)."""
    limits = [wilson(k, 10) for k in range(11)]
    low, high = np.array([e.low for e in limits]), np.array([e.high for e in limits])
    rates = np.linspace(0.0005, 0.9995, 2000)[:, None]
    coverage = (binom.pmf(np.arange(11), 10, rates) * ((low <= rates) & (rates <= high))).sum(-1)
    assert coverage.mean() == pytest.approx(0.954, abs=0.001)
    assert coverage.min() == pytest.approx(0.84, abs=0.01)


@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys])
def test_mirror_and_monotone(method):
    for k in range(13):
        found, mirrored = method(k, 12), method(12 - k, 12)
        assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)
        assert found.low <= found.value <= found.high
    lows = [method(k, 12).low for k in range(13)]
    assert lows == sorted(lows)
    assert method(6, 12, 0.99).low < method(6, 12, 0.9).low


@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys])
def test_no_trials_is_absent_not_zero(method):
    found = method(0, 0)
    assert found.value is None
    assert found.low is None
    assert found.high is None
    assert found.reason == "no trials"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 4), "successes: found 5 of n = 4"),
        ((-1, 4), "successes: found -1"),
        ((2.0, 4), r"successes: found 2.0 \(float\)"),
        ((True, 4), "successes: found True"),
        ((float("nan"), 4), "successes: found nan"),
        ((2, 4.5), "n: found 4.5"),
        ((2, 4, 95), "level: found 95"),
        ((2, 4, float("nan")), "level: found nan"),
    ],
)
def test_bad_counts(arguments, message):
    with pytest.raises(ValueError, match=message):
        wilson(*arguments)


def test_numpy_counts_are_counts():
    assert wilson(np.int64(3), np.int32(7)) == wilson(3, 7)


def test_estimate_as_record():
    assert wilson(0, 0).to_dict() == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "method": "Wilson score over trials",
        "level": 0.95,
        "reason": "no trials",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((float("nan"), 0.0, 1.0, 3, "m", 0.95), "value: found nan"),
        ((0.5, 0.9, 0.1, 3, "m", 0.95), "expected low <= high"),
        ((0.5, 0.9, None, 3, "m", 0.95), "both limits or neither"),
        ((None, 0.0, 1.0, 3, "m", 0.95), "expected no limits either"),
        ((0.5, 0.0, 1.0, -3, "m", 0.95), "n: found -3"),
        ((0.5, 0.0, 1.0, 3, "m", 95), "level: found 95"),
    ],
)
def test_estimate_refuses_nonsense(fields, message):
    with pytest.raises(ValueError, match=message):
        Estimate(*fields)
