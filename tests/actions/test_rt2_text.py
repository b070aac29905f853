"""RT-2's strings: written as in the paper, read strictly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.actions import DecodeError
from reverie.actions.rt2_text import RT2Text
from reverie.actions.uniform_bins import UniformBins
from reverie.core import ReverieError

GRID = UniformBins((-1.0,) * 7, (1.0,) * 7)
CODEC = RT2Text(GRID)
EXAMPLE = "0 128 91 241 5 101 127 200"


def test_eight_fields() -> None:
    decoded, ends = CODEC.read([EXAMPLE, "1" + EXAMPLE[1:]])
    expected = (np.array([128, 91, 241, 5, 101, 127, 200]) + 0.5) / 128 - 1
    np.testing.assert_allclose(decoded.actions[:, 0], [expected, expected], atol=1e-7)
    assert ends[:, 0].tolist() == [False, True]
    assert CODEC.encode(decoded.actions, ends) == [EXAMPLE, "1" + EXAMPLE[1:]]
    assert CODEC.encode(decoded.actions) == [EXAMPLE, EXAMPLE]
    assert CODEC.spec.tokens_per_chunk == 8


def test_chunks_have_their_steps_apart() -> None:
    codec = RT2Text(GRID, horizon=2)
    decoded = codec.decode([f"{EXAMPLE};1 0 0 0 0 0 0 0"])
    assert decoded.shape == (1, 2, 7)
    assert codec.encode(decoded, np.array([[False, True]])) == [f"{EXAMPLE};1 0 0 0 0 0 0 0"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 128 91 241 5 101 127", "found 7 fields, expected terminate and 7 actions"),  # the example of the paper
        (EXAMPLE + " 3", "found 9 fields"),
        ("", "found 1 fields"),
        (" " + EXAMPLE, "found 9 fields"),
        (EXAMPLE + "\n", "'200\\\\n' as action 7"),
        (EXAMPLE.replace(" ", "  ", 1), "found 9 fields"),
        ("2" + EXAMPLE[1:], "'2' as terminate, expected 0..1"),
        (EXAMPLE.replace("241", "256"), "'256' as action 3, expected 0..255"),
        (EXAMPLE.replace("241", "-1"), "'-1' as action 3"),
        (EXAMPLE.replace("241", "091"), "'091' as action 3"),
        (EXAMPLE.replace("241", "24.1"), "'24.1' as action 3"),
        (EXAMPLE.replace("241", "٣"), "as action 3"),
        (EXAMPLE.replace("241", "9" * 5000), "as action 3"),
        (EXAMPLE.replace("241", "left"), "'left' as action 3"),
        (f"{EXAMPLE};{EXAMPLE}", "found 2 steps, expected 1"),
    ],
)
def test_anything_else_fails_and_says_what(text: str, problem: str) -> None:
    decoded, ends = CODEC.read([EXAMPLE, text])
    assert decoded.valid.tolist() == [True, False]
    assert np.isnan(decoded.actions[1]).all()
    assert np.isfinite(decoded.actions[0]).all()
    assert not ends[1].any()
    with pytest.raises(DecodeError, match=f"1 of 2 rows spell no action: row 1: .*{problem}"):
        CODEC.decode([EXAMPLE, text])


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet="0123456789 ;-.a", max_size=40))
def test_no_text_is_answered_by_guessing(text: str) -> None:
    decoded, _ = CODEC.read([text])
    assert decoded.valid[0] == np.isfinite(decoded.actions).all()
    if decoded.valid[0]:
        assert CODEC.encode(decoded.actions, CODEC.read([text])[1]) == [text]


def test_codes_of_another_kind_are_refused() -> None:
    for codes in (EXAMPLE, [1, 2], [None]):
        with pytest.raises(ReverieError, match="list of strings"):
            CODEC.decode(codes)
    with pytest.raises(ReverieError, match=r"terminate is int64 \[1, 1\], expected bool"):
        CODEC.encode(np.zeros((1, 1, 7)), np.zeros((1, 1), int))
