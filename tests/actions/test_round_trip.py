"""What the report measures, against numbers worked out by hand; and tokens as rows."""

import numpy as np
import pytest
from chunks import FITTED, HORIZON, TRAINING

from reverie.actions.round_trip import round_trip
from reverie.actions.sequences import padded, token_rows, unpadded
from reverie.actions.uniform_bins import UniformBins
from reverie.core import ReverieError


def test_errors_bias_clipping_and_size() -> None:
    codec = UniformBins((0.0,), (4.0,), bins=4)  # decodes to .5, 1.5, 2.5, 3.5
    found = round_trip(codec, np.array([[[0.25], [1.0]], [[3.5], [5.0]]]))
    assert found.mean_abs == pytest.approx([(0.25 + 0.5 + 0 + 1.5) / 4])
    assert found.max_abs == pytest.approx([1.5])
    assert found.bias == pytest.approx([(0.25 + 0.5 - 1.5) / 4])
    assert found.clipped == (0.25,)
    assert (found.tokens_per_chunk, found.bits_per_chunk) == (2, 4)
    assert (found.n_chunks, found.n_values) == (2, 4)


def test_rt1s_code_is_biased_by_half_a_step() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (2000, 1, 1))
    found = round_trip(UniformBins((-1.0,), (1.0,), decoding="rt1"), values)
    assert found.bias[0] == pytest.approx(-1 / 255, rel=0.1)
    assert abs(round_trip(UniformBins((-1.0,), (1.0,)), values).bias[0]) < 2e-4


@pytest.mark.parametrize("codec", FITTED.values(), ids=FITTED.keys())
def test_every_codec_is_measured(codec) -> None:
    found = round_trip(codec, TRAINING[:30])
    assert len(found.mean_abs) == TRAINING.shape[-1]
    assert all(a <= b for a, b in zip(found.mean_abs, found.max_abs, strict=True))
    assert (found.tokens_per_chunk is None) == (codec.spec.kind == "numbers")
    if codec.name == "fast":
        assert found.tokens_per_chunk == np.mean([len(c) for c in codec.encode(TRAINING[:30])])


def test_rows_of_tokens_are_padded_and_back() -> None:
    codec = FITTED["fast"]
    rows = token_rows(codec.encode(TRAINING[:6]))
    tokens, real = padded(rows, filler=-1)
    assert tokens.shape == (6, max(map(len, rows)))
    assert (tokens[~real] == -1).all()
    np.testing.assert_array_equal(codec.decode(unpadded(tokens, real)), codec.decode(rows))
    assert padded(rows, 0, length=50)[0].shape == (6, 50)
    with pytest.raises(ReverieError, match="length is 3"):
        padded(rows, 0, length=3)
    grid = FITTED["uniform_bins"].encode(TRAINING[:2])
    assert [row.tolist() for row in token_rows(grid)] == grid.reshape(2, HORIZON * 4).tolist()
