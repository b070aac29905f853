"""Tokens as rows for a network that writes one after the other: flat, and padded to one length."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError

Tokens = NDArray[np.int64]


def token_rows(codes: Tokens | Sequence[Tokens]) -> list[Tokens]:
    """A grid [B, T, A] (step after step) or a list of B sequences -> B arrays [n]; codecs decode both."""
    return [np.asarray(row, np.int64).reshape(-1) for row in codes]


def padded(rows: Sequence[Tokens], filler: int, length: int | None = None) -> tuple[Tokens, NDArray[np.bool_]]:
    """B sequences -> tokens [B, length] and which of them are real; `length` is that of the longest unless given."""
    longest = max((len(row) for row in rows), default=0)
    if length is not None and longest > length:
        raise ReverieError(f"a sequence has {longest} tokens, length is {length}: give at least as many")
    size = longest if length is None else length
    tokens, real = np.full((len(rows), size), filler, np.int64), np.zeros((len(rows), size), np.bool_)
    for i, row in enumerate(rows):
        tokens[i, : len(row)], real[i, : len(row)] = row, True
    return tokens, real


def unpadded(tokens: Tokens, real: NDArray[np.bool_]) -> list[Tokens]:
    """The inverse of `padded`."""
    return [row[kept] for row, kept in zip(tokens, real, strict=True)]
