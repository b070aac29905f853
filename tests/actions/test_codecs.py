"""What every codec of the table keeps to: one contract, run over all of them."""

import json

import numpy as np
import pytest
from chunks import (  # fmt: skip
    DIM,
    FITTED,
    FREE,
    GRIPPER,
    HIGH,
    HORIZON,
    LOW,
    TRAINING,
    anything,
    inside,
    like_a_robots,
    same_codes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.actions import CODECS, Codec, codec_from_dict, load_codec, save_codec
from reverie.core import ReverieError

every_codec = pytest.mark.parametrize("codec", FITTED.values(), ids=FITTED.keys())
some = settings(deadline=None, max_examples=25)


def allowed(codec: Codec) -> np.ndarray:
    """[T, A]: the largest round-trip error of values within the bounds: half a bin, in units."""
    value = codec.to_dict()
    match codec.name:
        case "uniform_bins" | "rt2_text":
            grid = value.get("grid", value)
            each = (np.array(grid["high"]) - grid["low"]) / grid["bins"] / 2
        case "vocabulary_tail":
            each = (np.array(value["high"]) - value["low"]) / (value["bins"] - 1) / 2
        case "quantile_bins":
            each = np.diff(value["levels"], axis=1).max(1) / 2
        case "fast":  # orthonormal: the rounded coefficients' error, at its largest all in one value
            each = np.array(value["scale"]) * np.sqrt(HORIZON) * 0.5 / value["coefficient_scale"]
        case _:
            each = np.zeros(DIM)
    return np.broadcast_to(each + 1e-6, (HORIZON, DIM))


def test_the_table_names_what_it_holds() -> None:
    assert all(name == codec.name for name, codec in CODECS.items())
    assert set(CODECS) == {"uniform_bins", "quantile_bins", "rt2_text", "vocabulary_tail", "fast", "continuous"}


@every_codec
@some
@given(chunks=anything)
def test_codes_are_what_the_spec_says(codec: Codec, chunks: np.ndarray) -> None:
    codes, spec = codec.encode(chunks), codec.spec
    assert len(codes) == len(chunks)
    assert spec.action_dim == DIM
    assert spec.horizon in (None, HORIZON)
    if spec.kind == "tokens":
        for row in codes:
            assert row.dtype == np.int64
            assert row.min() >= 0
            assert row.max() < spec.vocabulary_size
            assert spec.tokens_per_chunk in (None, row.size)
    if spec.kind == "text":
        assert all(len(text.replace(";", " ").split(" ")) == spec.tokens_per_chunk for text in codes)
    if spec.kind == "numbers":
        assert codes.dtype == np.float32
    decoded = codec.decode(codes)
    assert decoded.shape == chunks.shape
    assert decoded.dtype == np.float32
    assert np.isfinite(decoded).all()
    assert codec.decode_rows(codes).valid.all()
    assert codec.clipped(chunks).shape == chunks.shape


@every_codec
@some
@given(chunks=inside)
def test_values_inside_the_bounds_come_back_to_half_a_bin(codec: Codec, chunks: np.ndarray) -> None:
    chunks[..., 1], chunks[..., GRIPPER] = 0.1, chunks[..., GRIPPER] > 0.1
    clipped = codec.clipped(chunks)
    error = np.abs(codec.decode(codec.encode(chunks)) - chunks)
    if codec.name == "fast":
        fits = ~clipped.any((1, 2))
        assert (error[fits] <= allowed(codec)).all()
    else:
        assert (error <= allowed(codec))[~clipped].all()
    if codec.name in ("uniform_bins", "rt2_text", "quantile_bins", "continuous"):
        assert not clipped.any()


@every_codec
@some
@given(seed=st.integers(0, 1000))
def test_what_was_decoded_has_the_same_codes(codec: Codec, seed: int) -> None:
    codes = codec.encode(like_a_robots(seed, 3))
    decoded = codec.decode(codes)
    again = codec.encode(decoded)
    if codec.name == "vocabulary_tail":  # its last two tokens mean the same
        codes = np.maximum(codes, codec.first_token + 1)
    if codec.name == "continuous":
        np.testing.assert_allclose(again, codes, atol=1e-4)
    else:
        assert same_codes(again, codes)
    np.testing.assert_allclose(codec.decode(again), decoded, atol=1e-6)


@every_codec
@some
@given(chunks=anything)
def test_a_row_does_not_depend_on_its_neighbours(codec: Codec, chunks: np.ndarray) -> None:
    codes = codec.encode(chunks)
    alone = [codec.encode(chunks[i : i + 1])[0] for i in range(len(chunks))]
    assert same_codes(alone, list(codes))
    assert same_codes(codec.encode(chunks), codes)  # and the same again
    decoded = codec.decode(codes)
    for i in range(len(chunks)):
        np.testing.assert_array_equal(codec.decode(codes[i : i + 1])[0], decoded[i])


@every_codec
@some
@given(a=st.floats(LOW, HIGH), b=st.floats(LOW, HIGH))
def test_order_is_kept(codec: Codec, a: float, b: float) -> None:
    """Of chunks that hold one value; FAST keeps it to its rounding."""
    chunks = np.full((2, HORIZON, DIM), 0.1, np.float32)
    chunks[0][:, FREE], chunks[1][:, FREE] = min(a, b), max(a, b)
    first, second = codec.decode(codec.encode(chunks))
    assert (second[:, FREE] - first[:, FREE] >= -1e-6).all()


@every_codec
def test_json_keeps_the_codec(codec: Codec, tmp_path) -> None:
    chunks = like_a_robots(7, 20)
    for again in (
        codec_from_dict(json.loads(json.dumps(codec.to_dict()))),
        codec_from_dict(codec.to_dict()),
        load_codec(save_codec(tmp_path / "codec", codec).parent),
    ):
        assert again == codec
        assert again.spec == codec.spec
        assert same_codes(again.encode(chunks), codec.encode(chunks))
        np.testing.assert_array_equal(again.decode(codec.encode(chunks)), codec.decode(codec.encode(chunks)))


@every_codec
def test_fitting_twice_gives_the_same_codec(codec: Codec) -> None:
    options = {"vocabulary_tail": {"kept": (GRIPPER,)}, "fast": {"vocabulary_size": 512}}.get(codec.name, {})
    assert type(codec).fit(TRAINING.copy(), **options) == codec


@every_codec
@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (np.full((2, HORIZON, DIM), np.nan), "not finite"),
        (np.array([[[0.0] * DIM] * (HORIZON - 1) + [[0, 0, np.inf, 0]]]), f"action 2 of row 0, step {HORIZON - 1} is inf"),
        (np.zeros((2, HORIZON, DIM + 1)), "expected numbers"),
        (np.zeros((HORIZON, DIM)), "expected numbers"),
        (np.zeros((2, 0, DIM)), "expected numbers"),
        (np.full((2, HORIZON, DIM), "0"), "expected numbers"),
    ],
)  # fmt: skip
def test_bad_actions_are_refused(codec: Codec, chunks: np.ndarray, message: str) -> None:
    for refused in (codec.encode, codec.clipped):
        with pytest.raises(ReverieError, match=message):
            refused(chunks)


@every_codec
def test_no_rows_are_no_error(codec: Codec) -> None:
    none = TRAINING[:0]
    assert len(codec.encode(none)) == 0
    assert codec.decode(codec.encode(none)).shape == none.shape


@every_codec
def test_another_horizon(codec: Codec) -> None:
    chunks = np.full((2, HORIZON + 1, DIM), 0.1, np.float32)
    if codec.spec.horizon is None:
        assert codec.decode(codec.encode(chunks)).shape == chunks.shape
    else:
        with pytest.raises(ReverieError, match=f"B, {HORIZON}, {DIM}"):
            codec.encode(chunks)


@pytest.mark.parametrize("name", ["uniform_bins", "quantile_bins", "vocabulary_tail", "continuous"])
def test_a_horizon_may_be_given(name: str) -> None:
    codec = CODECS[name].fit(TRAINING, horizon=HORIZON)
    assert codec.spec.horizon == HORIZON
    if codec.spec.kind == "tokens":
        assert codec.spec.tokens_per_chunk == HORIZON * DIM
    with pytest.raises(ReverieError, match="expected numbers"):
        codec.encode(TRAINING[:, :3])


@pytest.mark.parametrize("name", ["uniform_bins", "quantile_bins", "vocabulary_tail", "fast"])
@pytest.mark.parametrize("token", [-1, 10**6])
def test_tokens_outside_the_vocabulary_are_refused(name: str, token: int) -> None:
    codec = FITTED[name]
    codes = codec.encode(TRAINING[:2])
    codes[1][..., 0] = token
    for refused in (codec.decode, codec.decode_rows):
        with pytest.raises(ReverieError, match=f"row 1 has the token {token}"):
            refused(codes)


@pytest.mark.parametrize("name", ["uniform_bins", "quantile_bins", "vocabulary_tail"])
def test_a_grid_may_come_back_flat(name: str) -> None:
    codec = FITTED[name]
    codes = codec.encode(TRAINING[:5])
    assert codes.shape == (5, HORIZON, DIM)
    np.testing.assert_array_equal(codec.decode(codes.reshape(5, -1)), codec.decode(codes))
    for wrong in (codes.reshape(5, -1)[:, :-1], codes.astype(float), codes[0, 0]):
        with pytest.raises(ReverieError, match="expected whole numbers"):
            codec.decode(wrong)


@pytest.mark.parametrize("name", CODECS)
def test_nothing_to_fit_on(name: str) -> None:
    with pytest.raises(ReverieError, match="N >= 1"):
        CODECS[name].fit(TRAINING[:0])
    with pytest.raises(ReverieError, match="not finite"):
        CODECS[name].fit(np.where(TRAINING > 0.2, np.nan, TRAINING))


@every_codec
def test_damaged_descriptions_are_refused(codec: Codec) -> None:
    good = codec.to_dict()
    damaged = [
        ("file.json", "expected an object"),
        (good | {"name": "nobody"}, "'nobody'; known"),
        (good | {"extra": 1}, "'extra'"),
        (good | {"horizon": 0}, "horizon is 0"),
        (good | {"horizon": "8"}, "horizon is '8'"),
        ({"name": codec.name}, "found no"),
    ]
    field = next(f for f in good if f != "name")
    damaged += [(good | {field: wrong}, "") for wrong in ("abc", [], [[1.0], [2.0, 3.0]], [float("nan")] * DIM, None)]
    for value, message in damaged:
        with pytest.raises(ReverieError, match=f"here.*{message}"):
            codec_from_dict(value, "here")


def test_damaged_folders_are_refused(tmp_path) -> None:
    with pytest.raises(ReverieError, match="no such file"):
        load_codec(tmp_path)
    for text in ("{", '{"format": 2, "codec": {}}', "[]"):
        (tmp_path / "codec.json").write_text(text)
        with pytest.raises(ReverieError, match=r"codec\.json: found"):
            load_codec(tmp_path)
