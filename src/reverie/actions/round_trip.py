"""What a codec loses: chunks coded and decoded again, measured number by number in the actions' own units."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.actions.codec import Codec


@dataclass(frozen=True)
class RoundTrip:
    """For each action the mean and the largest absolute error, the mean of decoded minus given (of deltas it adds up from
    step to step), and the share of clipped values, over `n_values` values each; tokens_per_chunk is a mean,
    bits_per_chunk what they take if all of them were equally likely (None: no tokens)."""

    mean_abs: tuple[float, ...]
    max_abs: tuple[float, ...]
    bias: tuple[float, ...]
    clipped: tuple[float, ...]
    tokens_per_chunk: float | None
    bits_per_chunk: float | None
    n_chunks: int
    n_values: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def round_trip(codec: Codec[Any], actions: NDArray[np.floating], action_tokens: int | None = None) -> RoundTrip:
    """Of chunks [B, T, A], B >= 1. `action_tokens`: how many tokens mean actions, where that is not the whole vocabulary.

    Errors: DecodeError if the codec cannot read what it wrote.
    """
    codes = codec.encode(actions)
    error = codec.decode(codes).astype(np.float64) - actions  # [B, T, A]
    size = action_tokens or codec.spec.vocabulary_size
    tokens = None if size is None else tokens_per_chunk(codec, codes)
    return RoundTrip(
        mean_abs=tuple(np.abs(error).mean((0, 1)).tolist()),
        max_abs=tuple(np.abs(error).max((0, 1)).tolist()),
        bias=tuple(error.mean((0, 1)).tolist()),
        clipped=tuple(codec.clipped(actions).mean((0, 1)).tolist()),
        tokens_per_chunk=tokens,
        bits_per_chunk=None if tokens is None or size is None else tokens * float(np.log2(size)),
        n_chunks=len(actions),
        n_values=error.shape[0] * error.shape[1],
    )


def tokens_per_chunk(codec: Codec[Any], codes: Sequence[Any]) -> float:
    """The mean over rows; of text, its integers."""
    known = codec.spec.tokens_per_chunk
    return float(known) if known is not None else float(np.mean([np.size(row) for row in codes]))
