"""FAST: a chunk as frequencies, rounded, and packed into few tokens.

Pertsch et al. 2025 (FAST, section V): scale each action by its 1 % and 99 % quantiles to -1 and 1 (without clipping); DCT-II,
orthonormal, over time; round(10 x coefficient); flatten frequency by frequency (all actions at frequency 0 first); byte-pair
encoding, here fitted on the training chunks. Smooth chunks have few non-zero coefficients, hence few tokens.
Rounding moves a value by at most sqrt(T) / (2 * 10) in the worst case, much less in the mean.

A token sequence decodes only if it spells exactly T x A coefficients. The public code (`processing_action_tokenizer.py`)
answers any other with ZEROS, a still robot or, for absolute actions, a jump to the middle; here its row fails. Coefficients
outside the range of training are clipped (the public code raises the low ones and has no rule for the high ones).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct

from reverie.actions import checks
from reverie.actions.byte_pairs import BytePairs
from reverie.actions.codec import Array, CodecSpec, Decoded, Tokens
from reverie.actions.normalisation import Normalisation, by_quantiles
from reverie.core import ReverieError

FLOOR = 1e-3
"""Smallest half distance of the two quantiles, in the action's unit: a constant action is not blown up."""


@dataclass(frozen=True)
class Fast:
    """Coefficients `lowest` .. `lowest + symbols - 1` are the symbols of `BytePairs`; codes are a list of B int64 [n]."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    horizon: int
    lowest: int
    symbols: int
    merges: tuple[tuple[int, int], ...]
    coefficient_scale: float = 10.0
    name: ClassVar[str] = "fast"

    def __post_init__(self) -> None:
        for field in ("offset", "scale"):
            checks.floats(field, getattr(self, field))
        if len(self.offset) != len(self.scale):
            raise ReverieError(f"offset has {len(self.offset)} numbers, scale {len(self.scale)}: give one each")
        checks.count("horizon", self.horizon)
        checks.count("lowest", self.lowest, least=-10_000_000)
        checks.floats("coefficient_scale", (self.coefficient_scale,))
        if self.coefficient_scale <= 0:
            raise ReverieError(f"coefficient_scale is {self.coefficient_scale}, expected a number > 0")
        self._numbers, self._pairs  # noqa: B018 (checks the rest)

    @classmethod
    def fit(cls, actions: NDArray[np.floating], vocabulary_size: int = 1024, coefficient_scale: float = 10.0) -> Self:
        """For chunks as long as those of [N, T, A]. Errors: ReverieError where their coefficients need more tokens."""
        values = checks.training_chunks(actions)
        numbers = by_quantiles(values.reshape(-1, values.shape[-1]), FLOOR)
        coefficients = _coefficients(numbers.encode(values), coefficient_scale)
        lowest, highest = int(coefficients.min()), int(coefficients.max())
        sequences = (coefficients - lowest).reshape(len(values), -1)
        pairs = BytePairs.fit(sequences, highest - lowest + 1, vocabulary_size)
        return cls(
            numbers.offset, numbers.scale, values.shape[1], lowest, pairs.symbols, pairs.merges, coefficient_scale
        )

    @property
    def spec(self) -> CodecSpec:
        return CodecSpec("tokens", len(self.offset), self._pairs.vocabulary_size, None, self.horizon)

    def encode(self, actions: NDArray[np.floating]) -> list[Tokens]:
        symbols = (self._coefficients(actions) - self.lowest).clip(0, self.symbols - 1)  # [B, T, A]
        return [self._pairs.encode(row.reshape(-1)) for row in symbols]

    def decode(self, codes: Sequence[Tokens]) -> Array:
        return self.decode_rows(codes).strict()

    def decode_rows(self, codes: Sequence[Tokens]) -> Decoded:
        shape = (self.horizon, len(self.offset))
        symbols, failures = np.zeros((len(codes), *shape), np.int64), {}
        for row, code in enumerate(codes):
            found = self._pairs.decode(self._checked(code, row))
            if found.size == symbols[row].size:
                symbols[row] = found.reshape(shape)
            else:
                failures[row] = f"{len(code)} tokens spell {found.size} coefficients, expected {shape[0]} x {shape[1]}"
        scaled = idct((symbols + self.lowest) / self.coefficient_scale, axis=1, norm="ortho")
        actions = self._numbers.decode(scaled)
        actions[list(failures)] = np.nan
        return Decoded(actions, failures)

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        coefficients = self._coefficients(actions)
        return np.asarray((coefficients < self.lowest) | (coefficients >= self.lowest + self.symbols))

    def _coefficients(self, actions: NDArray[np.floating]) -> NDArray[np.int64]:
        values = checks.chunks(actions, len(self.offset), self.horizon)
        return _coefficients(self._numbers.encode(values), self.coefficient_scale)

    def _checked(self, code: Any, row: int) -> Tokens:
        tokens = np.asarray(code)
        if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
            raise ReverieError(f"row {row} is {tokens.dtype} {list(tokens.shape)}, expected a list of tokens")
        checks.token_range(tokens, self._pairs.vocabulary_size, row)
        return tokens.astype(np.int64)

    @cached_property
    def _numbers(self) -> Normalisation:
        return Normalisation(self.offset, self.scale)

    @cached_property
    def _pairs(self) -> BytePairs:
        return BytePairs(self.symbols, self.merges)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "offset": list(self.offset),
            "scale": list(self.scale),
            "horizon": self.horizon,
            "lowest": self.lowest,
            "symbols": self.symbols,
            "merges": [list(pair) for pair in self.merges],
            "coefficient_scale": self.coefficient_scale,
        }

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        return checks.build(cls, checks.entries(cls, value, where), where)  # type: ignore[no-any-return]


def _coefficients(scaled: Array, coefficient_scale: float) -> NDArray[np.int64]:
    """[B, T, A] -> whole numbers [B, T, A], the second axis now frequency, 0 first."""
    found = dct(scaled.astype(np.float64), axis=1, norm="ortho")
    return np.asarray(np.rint(found * coefficient_scale), np.int64)
