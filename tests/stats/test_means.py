"""Means and medians of units, and their intervals."""

import numpy as np
import pytest

from reverie.stats import Resampling, bootstrap_mean, bootstrap_median


@pytest.mark.parametrize(("bootstrap", "statistic"), [(bootstrap_mean, np.mean), (bootstrap_median, np.median)])
def test_the_value_and_what_was_not_measured(bootstrap, statistic):
    found = bootstrap([1.0, 2.0, np.nan, 9.0], "takes")
    assert (found.value, found.n) == (statistic([1, 2, 9]), 3)
    assert found.low <= found.value <= found.high
    assert bootstrap([1.0, 2.0], "takes").low is None
    assert bootstrap([], "takes").value is None


def test_a_median_does_not_see_an_outlier():
    values = list(np.random.default_rng(0).normal(5, 1, 40))
    clean, spoilt = bootstrap_median(values, "takes"), bootstrap_median([*values, 1e6], "takes")
    assert spoilt.value == pytest.approx(clean.value, abs=0.3)
    assert spoilt.high < 7


def test_the_interval_of_a_median_covers():
    """Nominal 95 %, n = 25, exponential values: the true median is ln 2."""
    rng = np.random.default_rng(1)
    found = [bootstrap_median(rng.exponential(size=25), "takes", Resampling(draws=500)) for _ in range(300)]
    assert 0.9 < np.mean([e.low <= np.log(2) <= e.high for e in found]) < 0.99
