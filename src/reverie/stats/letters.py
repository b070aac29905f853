"""Compact letter display: who is not separated from whom, as letters that can stand in a table.

Two policies share a letter if and only if they are not separated.
"""

from string import ascii_lowercase

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALPHABET = 26


def compact_letters(separated: ArrayLike) -> list[str]:
    """[K, K] symmetric, True where a test separates two policies -> K strings such as "ab"; `a` begins at the first policy.

    Insert and absorb (Piepho 2004, J. Comput. Graph. Stat. 13, 456-466), without the final sweep: every largest group of
    policies that are mutually not separated has its letter. A pair that was not tested is not separated. Beyond `z` letters
    are written as (27), (28). Raises ValueError for another shape, an asymmetric matrix or a True on the diagonal.
    """
    matrix = _checked(separated)
    columns = [frozenset(range(len(matrix)))]
    for i, j in zip(*np.nonzero(np.triu(matrix)), strict=True):
        split = [c - {int(drop)} for c in columns if {i, j} <= c for drop in (i, j)]
        columns = _absorbed([c for c in columns if not {i, j} <= c] + split)
    ordered = sorted(columns, key=sorted)
    return ["".join(_letter(n) for n, c in enumerate(ordered) if i in c) for i in range(len(matrix))]


def _absorbed(columns: list[frozenset[int]]) -> list[frozenset[int]]:
    """Without those that are part of another."""
    different = list(dict.fromkeys(columns))
    return [c for c in different if not any(c < other for other in different)]


def _letter(number: int) -> str:
    return ascii_lowercase[number] if number < ALPHABET else f"({number + 1})"


def _checked(separated: ArrayLike) -> NDArray[np.bool_]:
    matrix = np.asarray(separated)
    if matrix.dtype != np.bool_ or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"separated: found {matrix.dtype} of shape {matrix.shape}, expected booleans [K, K]")
    if (matrix != matrix.T).any() or matrix.diagonal().any():
        raise ValueError("separated: found an asymmetric matrix or a policy separated from itself, expected neither")
    return matrix
