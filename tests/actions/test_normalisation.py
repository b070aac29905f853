"""Normalisation: a round trip for any numbers, and no explosion of a number that hardly varies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reverie.actions.normalisation import Normalisation, by_mean, keep
from reverie.core import ReverieError

values = hnp.arrays(np.float32, st.tuples(st.integers(2, 20), st.just(3)), elements=st.floats(-10, 10, width=32))


@settings(deadline=None, max_examples=50)
@given(values)
def test_round_trip(data: np.ndarray) -> None:
    codec = by_mean(data, 0.01)
    np.testing.assert_allclose(codec.decode(codec.encode(data)), data, atol=1e-4)


def test_mean_and_spread_become_zero_and_one() -> None:
    data = np.random.default_rng(0).normal([3, -1], [0.5, 20], (5000, 2))
    coded = by_mean(data, 1e-3).encode(data)
    np.testing.assert_allclose(coded.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(coded.std(0), 1, atol=1e-3)


def test_a_number_that_hardly_varies_does_not_explode() -> None:
    data = np.full((100, 1), 0.5) + np.random.default_rng(0).normal(0, 1e-7, (100, 1))
    assert abs(by_mean(data, 0.02).encode(np.array([[0.51]]))).max() < 1


def test_kept_numbers_stay() -> None:
    codec = keep(Normalisation((1.0, 2.0), (3.0, 4.0)), (1,))
    np.testing.assert_allclose(codec.encode(np.array([4.0, 0.7])), [1, 0.7])


def test_bad_statistics_are_refused() -> None:
    with pytest.raises(ReverieError, match="scales > 0"):
        Normalisation((0.0,), (0.0,))
    with pytest.raises(ReverieError, match="finite"):
        by_mean(np.array([[np.nan]]), 0.1)
    with pytest.raises(ReverieError, match="2 numbers"):
        Normalisation((0.0, 0.0), (1.0, 1.0)).encode(np.zeros(3))
