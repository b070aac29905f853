"""Statistics by shard: exact where they can be, quantiles within the error that they state, the same every time."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.core import ReverieError
from reverie.data.statistics import QUANTILES, Summary, stats_of
from reverie.stats.sketches import QuantileSketch
from reverie.training import statistics
from reverie.training.behaviour_cloning import CloningConfig, window_of
from reverie.training.fakes import fake_cache
from reverie.training.statistics import fit_transforms
from reverie.transforms import NormalizeActions, NormalizeState

SHARES = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0)


def _columns(rng: np.random.Generator, n: int) -> np.ndarray:
    """Normal, heavy tailed, two values, sorted, mostly zero."""
    return np.column_stack([
        rng.normal(size=n), np.exp(2 * rng.normal(size=n)), (rng.random(n) < 0.3) * 1.0, np.arange(n) / n,
        np.where(rng.random(n) < 0.8, 0.0, rng.normal(size=n)),
    ])  # fmt: skip


def _rank_errors(rows: np.ndarray, found: np.ndarray) -> np.ndarray:
    """How far the ranks of found values [Q, D] lie from the shares: 0 within a run of equal values."""
    errors = []
    for column, values in zip(np.sort(rows, axis=0).T, found.T, strict=True):
        below, above = (np.searchsorted(column, values, side) / len(column) for side in ("left", "right"))
        errors.append(np.maximum(0, np.maximum(below - SHARES, SHARES - above)))
    return np.array(errors)


def _merged(rows: np.ndarray, n_parts: int, size: int) -> QuantileSketch:
    return reduce(QuantileSketch.merged, (QuantileSketch.of(p, size) for p in np.array_split(rows, n_parts)))


@pytest.mark.parametrize("n_parts", [1, 7, 300])
def test_quantiles_are_within_the_stated_error(n_parts: int) -> None:
    rows = _columns(np.random.default_rng(n_parts), 100_000)
    sketch = _merged(rows, n_parts, 512)
    assert sketch.n == len(rows)
    assert sketch.rank_error < 0.01
    assert _rank_errors(rows, sketch.quantiles(SHARES)).max() <= sketch.rank_error
    assert sum(b is not None for b in sketch.full) < 10  # memory grows with the logarithm
    default = _merged(rows, n_parts, 4096)
    assert default.rank_error < 0.001
    assert _rank_errors(rows, default.quantiles(SHARES)).max() < 0.0005


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(0, 10_000))
def test_any_parts_in_any_order_stay_within_it(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 20, (n, 2)).astype(float) for n in lengths]
    sketch = reduce(QuantileSketch.merged, (QuantileSketch.of(p, 8) for p in parts))
    rows = np.concatenate(parts)
    assert sketch.n == len(rows)
    if len(rows):
        assert _rank_errors(rows, sketch.quantiles(SHARES)).max() <= sketch.rank_error + 1 / len(rows)
    if len(rows) < 8:
        np.testing.assert_allclose(sketch.quantiles(SHARES), np.quantile(rows, SHARES, axis=0)) if len(rows) else None


def test_nothing_is_drawn() -> None:
    rows = _columns(np.random.default_rng(0), 30_000)
    one, again = (_merged(rows, 50, 256).quantiles(SHARES) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    with pytest.raises(ValueError, match="no rows"):
        QuantileSketch.of(rows[:0]).quantiles((0.5,))


def test_merged_statistics_are_those_of_all_rows() -> None:
    rows = _columns(np.random.default_rng(1), 3_000)  # few enough for exact quantiles
    found = reduce(Summary.merged, (Summary.of(p) for p in np.array_split(rows, 11)))
    expected = stats_of(rows)
    assert found.stats().keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found.stats()[name], value, rtol=1e-12, atol=1e-12)
    assert found.rank_error == 0
    assert set(QUANTILES) <= set(found.stats())


def _transforms(kind: str, shard: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setattr(statistics, "SHARD_ROWS", shard)
    cache, config = fake_cache(12), CloningConfig()
    window = window_of(cache, config, 1, 1, 10)
    return list(fit_transforms(cache, window, list(range(12)), config.sources, None, kind).transforms)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["mean_std", "quantiles"])
def test_shards_make_no_difference(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _transforms(kind, 1, monkeypatch) == _transforms(kind, 10**9, monkeypatch)


def test_normalisation_by_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = fake_cache(12).actions
    low, high = np.quantile(actions, (0.01, 0.99), axis=0)
    found = next(t for t in _transforms("quantiles", 100, monkeypatch) if isinstance(t, NormalizeActions))
    np.testing.assert_allclose(found.offset[:2], ((low + high) / 2)[:2], atol=1e-6)
    np.testing.assert_allclose(found.scale[:2], ((high - low) / 2)[:2], rtol=1e-5)
    assert (found.offset[6], found.scale[6]) == (0.0, 1.0)  # an opening stays as it is
    by_mean = next(t for t in _transforms("mean_std", 100, monkeypatch) if isinstance(t, NormalizeState))
    states = fake_cache(12).frames["commanded"][:, :3]
    np.testing.assert_allclose(by_mean.offset[:3], states.mean(0), atol=1e-5)
    np.testing.assert_allclose(by_mean.scale[:2], states.std(0)[:2], rtol=1e-4)


def test_numbers_that_are_not_finite_are_named() -> None:
    cache = fake_cache(4)
    cache = replace(cache, actions=np.where(np.arange(len(cache.actions))[:, None] == 3, np.nan, cache.actions))
    window = window_of(cache, CloningConfig(), 1, 1, 10)
    with pytest.raises(ReverieError, match="not finite"):
        fit_transforms(cache, window, [0, 1, 2, 3], (), None)
