"""What every codec keeps to: chunks of actions [B, T, A] to the codes that a network predicts, and back.

Values that a code cannot hold are moved to its bounds, and `clipped` says which. A code that spells no action is never
answered with one: `decode` raises, `decode_rows` marks the row. It knows no particular codec; arrays are NumPy's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError

Array = NDArray[np.float32]
Tokens = NDArray[np.int64]
Kind = Literal["tokens", "text", "numbers"]
Codes = TypeVar("Codes")


@dataclass(frozen=True)
class CodecSpec:
    """tokens: whole numbers in 0 .. vocabulary_size - 1; text: strings of `vocabulary_size` different integers; numbers:
    floats. tokens_per_chunk is None where it varies with the chunk or its length; horizon is T, None where any will do."""

    kind: Kind
    action_dim: int
    vocabulary_size: int | None
    tokens_per_chunk: int | None
    horizon: int | None


class DecodeError(ReverieError):
    """Codes that spell no action. `failures` maps each such row to what is wrong with it."""

    def __init__(self, failures: Mapping[int, str], n_rows: int) -> None:
        self.failures = dict(failures)
        listed = "; ".join(f"row {row}: {why}" for row, why in list(self.failures.items())[:3])
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        super().__init__(
            f"{len(failures)} of {n_rows} rows spell no action: {listed}{more}; decode_rows gives the other rows"
        )

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that failed, ascending."""
        return tuple(sorted(self.failures))


@dataclass(frozen=True)
class Decoded:
    """actions [B, T, A], NaN in rows that spell none; `failures` says why, by row."""

    actions: Array
    failures: Mapping[int, str] = field(default_factory=dict)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """[B]: the rows that spell an action."""
        valid = np.ones(len(self.actions), np.bool_)
        valid[list(self.failures)] = False
        return valid

    def strict(self) -> Array:
        """The actions, if every row has some. Errors: DecodeError."""
        if self.failures:
            raise DecodeError(self.failures, len(self.actions))
        return self.actions


class Codec(Protocol[Codes]):
    """Codes are int64 [B, T, A] or a list of B int64 [n], a list of B strings, or float32 [B, T, A]: see `spec.kind`."""

    name: ClassVar[str]

    @classmethod
    def fit(cls, actions: NDArray[np.floating]) -> Self:
        """From training chunks [N, T, A]; each codec has options of its own."""
        ...

    @property
    def spec(self) -> CodecSpec:
        """What its codes are."""
        ...

    def encode(self, actions: NDArray[np.floating]) -> Codes:
        """[B, T, A] -> codes. Errors: ReverieError for another shape and for values that are not finite."""
        ...

    def decode(self, codes: Codes) -> Array:
        """Codes -> float32 [B, T, A]. Errors: DecodeError with the rows that spell no action, ReverieError for tokens
        outside the vocabulary."""
        ...

    def decode_rows(self, codes: Codes) -> Decoded:
        """As `decode`, but rows that spell no action are marked, not raised."""
        ...

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        """[B, T, A]: what `encode` moves to the bounds (for `fast` coefficients: the axis T is then frequency)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Its name and its fields, ready for JSON."""
        ...

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        """What `to_dict` gave. Errors: ReverieError that begins with `where` (the file and the entry)."""
        ...
