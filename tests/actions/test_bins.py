"""Bins against numbers worked out by hand, and against what the papers' public code computes."""

import numpy as np
import pytest
from chunks import HORIZON, TRAINING
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.actions.quantile_bins import QuantileBins
from reverie.actions.uniform_bins import UniformBins
from reverie.actions.vocabulary_tail import VocabularyTail
from reverie.core import ReverieError
from reverie.core.fakes import ACTION_SPEC

UNIT = UniformBins((-1.0,), (1.0,))
RT1 = UniformBins((-1.0,), (1.0,), decoding="rt1")
bounds = st.tuples(st.floats(-50, 50), st.floats(0.5, 50)).map(lambda b: (b[0], b[0] + b[1]))


def column(*values: float) -> np.ndarray:
    return np.array(values)[None, :, None]


def test_256_parts_and_their_middles() -> None:
    assert UNIT.encode(column(-1, -0.993, -0.992, 0, 0.999, 1, 5, -5))[0, :, 0].tolist() == [
        0,
        0,
        1,
        128,
        255,
        255,
        255,
        0,
    ]
    np.testing.assert_allclose(UNIT.decode(column(0, 127, 128, 255).astype(int))[0, :, 0] * 256, [-255, -1, 1, 255])
    assert UNIT.clipped(column(-1, 1, 1.001, -2))[0, :, 0].tolist() == [False, False, True, True]


def test_rt1s_code_cuts_off_and_decodes_to_the_lower_edge() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    theirs = ((values.astype(np.float64) + 1) / 2 * 255).astype(int)
    tokens = RT1.encode(column(*values))
    np.testing.assert_array_equal(tokens[0, :, 0], theirs)  # none of these lies within a float32 step of an edge
    decoded = RT1.decode(tokens)[0, :, 0]
    np.testing.assert_allclose(decoded, theirs / 255 * 2 - 1, atol=1e-6)
    assert (decoded <= values + 1e-6).all()
    assert 0.9 < (values - decoded).mean() * 255 < 1.1  # half a step of 2 / 255
    assert RT1.encode(column(1, -1))[0, :, 0].tolist() == [255, 0]
    assert RT1.decode(RT1.encode(column(1, -1)))[0, :, 0].tolist() == [1, -1]


@settings(deadline=None, max_examples=60)
@given(bounds, st.sampled_from([2, 16, 256, 1024]), st.sampled_from(["centres", "rt1"]))
def test_every_token_comes_back_as_itself(limits: tuple[float, float], bins: int, decoding: str) -> None:
    codec = UniformBins(limits[:1], limits[1:], bins, decoding)
    tokens = np.arange(bins)[None, :, None]
    decoded = codec.decode(tokens)
    np.testing.assert_array_equal(codec.encode(decoded), tokens)
    assert (np.diff(decoded[0, :, 0]) > 0).all()


@settings(deadline=None, max_examples=60)
@given(bounds, st.lists(st.floats(0, 1), min_size=1, max_size=30), st.sampled_from([16, 256]))
def test_the_error_is_at_most_half_a_bin_or_a_step_of_rt1(limits, parts, bins) -> None:
    low, high = limits
    values = column(*(low + np.array(parts) * (high - low))).clip(low, high)
    rounding = 1e-5 * max(abs(low), abs(high))
    error = values - UniformBins((low,), (high,), bins).decode(UniformBins((low,), (high,), bins).encode(values))
    assert np.abs(error).max() <= (high - low) / bins / 2 + rounding
    rt1 = UniformBins((low,), (high,), bins, "rt1")
    error = values - rt1.decode(rt1.encode(values))
    assert -rounding <= error.min()
    assert error.max() <= (high - low) / (bins - 1) + rounding


def test_bounds_of_the_action_spec() -> None:
    codec = UniformBins.of_spec(ACTION_SPEC)
    assert (codec.low, codec.high) == (ACTION_SPEC.low, ACTION_SPEC.high)
    np.testing.assert_allclose(
        codec.decode(codec.encode(np.array([[[0.1, -0.1, 0.0]]]))), [[[0.1, -0.1, 0]]], atol=2e-3
    )


def test_bounds_that_are_none() -> None:
    from dataclasses import replace

    with pytest.raises(ReverieError, match="has no bounds"):
        UniformBins.of_spec(replace(ACTION_SPEC, low=None))
    for low, high in (((0.0,), (0.0,)), ((1.0,), (0.0,)), ((1.0,), (1.00001,)), ((0.0,), (1.0, 2.0))):
        with pytest.raises(ReverieError):
            UniformBins(low, high)
    with pytest.raises(ReverieError, match="decoding is 'edges'"):
        UniformBins((0.0,), (1.0,), decoding="edges")


def test_a_constant_action_is_not_blown_up() -> None:
    codec = UniformBins.fit(TRAINING)
    assert codec.high[1] - codec.low[1] == pytest.approx(1e-3)
    assert abs(codec.decode(codec.encode(TRAINING))[..., 1] - 0.1).max() < 1e-5


def test_quantile_bins_hold_equally_many_values() -> None:
    data = np.random.default_rng(0).exponential(1.0, (1000, HORIZON, 1))
    codec = QuantileBins.fit(data, bins=16)
    counts = np.bincount(codec.encode(data).reshape(-1), minlength=16)
    inner = counts[1:-2]  # those at the ends hold half as many; the last takes part of its neighbour's tail
    assert (inner > 0.9 * data.size / 15).all()
    assert (inner < 1.1 * data.size / 15).all()
    uniform = UniformBins.fit(data, bins=16)
    error = [np.median(np.abs(c.decode(c.encode(data)) - data)) for c in (codec, uniform)]
    assert error[0] < error[1] / 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=40), st.sampled_from([2, 8, 64]))
def test_quantile_bins_answer_the_nearest_level(values: list[float], bins: int) -> None:
    data = np.array(values, np.float32)[:, None, None]
    codec = QuantileBins.fit(data, bins=bins)
    levels = np.array(codec.levels[0])
    assert set(levels.tolist()) <= {float(np.float32(v)) for v in values}
    decoded = codec.decode(codec.encode(data))
    nearest = np.abs(data.reshape(-1, 1) - levels).min(1)
    np.testing.assert_allclose(np.abs(decoded - data).reshape(-1), nearest, atol=1e-6)
    assert not codec.clipped(data).any()
    tokens = np.arange(bins)[None, :, None]
    decoded = codec.decode(tokens)  # every token means something, in order
    assert (np.diff(decoded[0, :, 0]) >= 0).all()
    np.testing.assert_array_equal(codec.decode(codec.encode(decoded)), decoded)


def test_a_binary_gripper_is_exact_in_quantile_bins() -> None:
    gripper = TRAINING[..., 3:]
    codec = QuantileBins.fit(gripper, bins=16)
    np.testing.assert_array_equal(codec.decode(codec.encode(gripper)), gripper)
    assert set(codec.levels[0]) == {0.0, 1.0}


def test_the_tail_of_llamas_vocabulary() -> None:
    """Against the public formulas: id = 32000 - digitize(clip(a), linspace(-1, 1, 256)), clip(32000 - id - 1, 0, 254)."""
    codec = VocabularyTail((-1.0,), (1.0,))
    edges = np.linspace(-1, 1, 256)
    values = np.concatenate([np.random.default_rng(0).uniform(-1.3, 1.3, 3000), [-1, 0, 1]])
    theirs = 32000 - np.digitize(np.clip(values, -1, 1), edges)
    ours = codec.encode(column(*values))[0, :, 0]
    np.testing.assert_array_equal(ours, theirs)
    assert ours[-3:].tolist() == [31999, 31872, 31744]
    assert (ours.min(), ours.max(), codec.first_token) == (31744, 31999, 31744)
    centres = (edges[:-1] + edges[1:]) / 2
    tokens = np.arange(31744, 32000)
    decoded = codec.decode(tokens[None, :, None])[0, :, 0]
    np.testing.assert_allclose(decoded, centres[np.clip(32000 - tokens - 1, 0, 254)], atol=1e-7)
    assert len(set(decoded.tolist())) == 255
    assert decoded[0] == decoded[1]  # the token of exactly 1, and the last interval
    assert 0 in decoded.tolist()


def test_the_tail_scales_by_quantiles_and_leaves_the_gripper() -> None:
    codec = VocabularyTail.fit(TRAINING, kept=(3,))
    np.testing.assert_allclose(codec.low[0], np.quantile(TRAINING[..., 0], 0.01))
    assert (codec.low[3], codec.high[3]) == (-1, 1)
    assert 0.005 < codec.clipped(TRAINING)[..., 0].mean() < 0.03
    gripper = codec.decode(codec.encode(TRAINING))[..., 3]
    assert np.abs(gripper - TRAINING[..., 3]).max() < 1 / 255 + 1e-6
    with pytest.raises(ReverieError, match="cannot be kept"):
        VocabularyTail.fit(3 * TRAINING, kept=(3,))


def test_a_word_is_no_action() -> None:
    codec = VocabularyTail((-1.0, -1.0), (1.0, 1.0))
    tokens = np.full((3, 1, 2), 31872)
    tokens[1, 0, 1] = 450  # the public code answers .996 for it
    decoded = codec.decode_rows(tokens)
    assert decoded.valid.tolist() == [True, False, True]
    assert np.isnan(decoded.actions[1]).all()
    assert (decoded.actions[[0, 2]] == 0).all()
    with pytest.raises(ReverieError, match=r"1 of 3 rows spell no action: row 1: found the token 450") as failed:
        codec.decode(tokens)
    assert failed.value.rows == (1,)
