"""FAST: the transform against the textbook's, few tokens for smooth chunks, and no answer to what spells no chunk."""

import json

import numpy as np
import pytest
from chunks import DIM, FITTED, HORIZON, TRAINING, like_a_robots
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.actions import DecodeError, codec_from_dict
from reverie.actions.byte_pairs import BytePairs
from reverie.actions.fast import Fast
from reverie.core import ReverieError

CODEC = FITTED["fast"]


def cosines(n: int) -> np.ndarray:
    """[frequency, time], DCT-II, orthonormal, from its definition."""
    k, t = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    return np.sqrt(np.where(k == 0, 1, 2) / n) * np.cos(np.pi * k * (t + 0.5) / n)


def symbols_of(codec: Fast, chunk: np.ndarray) -> np.ndarray:
    """What the paper says, step by step: scale, transform, round, all actions of frequency 0 first."""
    scaled = (chunk - np.array(codec.offset)) / np.array(codec.scale)
    return np.rint(cosines(HORIZON) @ scaled * codec.coefficient_scale).reshape(-1) - codec.lowest


def test_tokens_spell_the_coefficients_of_the_paper() -> None:
    pairs = BytePairs(CODEC.symbols, CODEC.merges)
    for chunk in TRAINING[:20]:
        tokens = CODEC.encode(chunk[None])[0]
        assert pairs.decode(tokens).tolist() == symbols_of(CODEC, chunk.astype(np.float64)).tolist()


def test_scaling_is_by_quantiles_without_clipping() -> None:
    low, high = np.quantile(TRAINING[..., 0], (0.01, 0.99))
    assert CODEC.offset[0] == pytest.approx((low + high) / 2, rel=1e-4)
    assert CODEC.scale[0] == pytest.approx((high - low) / 2, rel=1e-4)
    outlier = TRAINING[:1].copy()
    np.testing.assert_allclose(CODEC.decode(CODEC.encode(outlier)), outlier, atol=0.2)
    assert outlier.min() < low


def test_smooth_chunks_take_few_tokens() -> None:
    held_out = like_a_robots(99, 200)
    tokens = [len(c) for c in CODEC.encode(held_out)]
    assert np.mean(tokens) < 0.7 * HORIZON * DIM
    still = np.full((1, HORIZON, DIM), 0.1, np.float32)
    assert len(CODEC.encode(still)[0]) < np.mean(tokens)


def test_a_larger_scale_errs_less_and_takes_more() -> None:
    fitted = [Fast.fit(TRAINING, 1024, scale) for scale in (3.0, 10.0, 30.0)]
    errors = [np.abs(c.decode(c.encode(TRAINING)) - TRAINING).mean() for c in fitted]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    sizes = [sum(map(len, c.encode(TRAINING))) for c in fitted]
    assert sizes == sorted(sizes)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 511), max_size=40))
def test_no_tokens_are_answered_with_zeros(tokens: list[int]) -> None:
    tokens = [t % CODEC.spec.vocabulary_size for t in tokens]
    good = CODEC.encode(TRAINING[:1])[0]
    decoded = CODEC.decode_rows([good, np.array(tokens, int), good])
    spelled = BytePairs(CODEC.symbols, CODEC.merges).decode(tokens)
    assert decoded.valid.tolist() == [True, len(spelled) == HORIZON * DIM, True]
    if not decoded.valid[1]:
        assert np.isnan(decoded.actions[1]).all()
        with pytest.raises(
            DecodeError, match=f"row 1: {len(tokens)} tokens spell {len(spelled)} coefficients, expected 8 x 4"
        ):
            CODEC.decode([good, np.array(tokens, int), good])
    np.testing.assert_array_equal(decoded.actions[0], CODEC.decode([good])[0])


def test_a_lost_or_doubled_token_fails() -> None:
    good = CODEC.encode(TRAINING[:4])
    broken = [good[0][:-1], np.append(good[1], good[1][-1]), good[2], np.array([], np.int64)]
    with pytest.raises(DecodeError, match="3 of 4 rows") as failed:
        CODEC.decode(broken)
    assert failed.value.rows == (0, 1, 3)


def test_coefficients_that_training_did_not_have_are_clipped_and_counted() -> None:
    wild = np.where(np.arange(HORIZON) % 2, 5.0, -5.0)[None, :, None] * np.ones((1, 1, DIM))
    assert CODEC.clipped(wild).any()
    assert not CODEC.clipped(TRAINING).any()
    assert np.isfinite(CODEC.decode(CODEC.encode(wild))).all()


def test_a_vocabulary_below_the_alphabet_is_refused() -> None:
    with pytest.raises(
        ReverieError, match=f"the data have {CODEC.symbols} different symbols: give at least {CODEC.symbols}"
    ):
        Fast.fit(TRAINING, vocabulary_size=CODEC.symbols - 1)
    bare = Fast.fit(TRAINING, vocabulary_size=CODEC.symbols)
    assert {len(c) for c in bare.encode(TRAINING[:5])} == {HORIZON * DIM}
    with pytest.raises(ReverieError, match="scale them down"):
        Fast.fit(TRAINING, 10**6, coefficient_scale=1e5)


@pytest.mark.parametrize("merges", [[[0, 10**6]], [[0]], [[0, -1]], [["a", "b"]], [[0, 1.5]], "no", [[True, 0]]])
def test_damaged_merges_are_refused(merges) -> None:
    with pytest.raises(ReverieError, match=r"here: .*merge"):
        codec_from_dict(json.loads(json.dumps(CODEC.to_dict() | {"merges": merges})), "here")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=20), min_size=1, max_size=10), st.integers(5, 40))
def test_byte_pairs_spell_what_they_were_given(sequences: list[list[int]], size: int) -> None:
    pairs = BytePairs.fit([np.array(s) for s in sequences], 5, size)
    assert 5 <= pairs.vocabulary_size <= size
    for sequence in sequences:
        tokens = pairs.encode(np.array(sequence))
        assert len(tokens) <= len(sequence)
        assert pairs.decode(tokens).tolist() == sequence
    for token in range(pairs.vocabulary_size):  # every token spells symbols
        assert len(pairs.decode([token])) >= 1
