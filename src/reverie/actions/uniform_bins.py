"""Uniform bins: every number of an action into one of 256 equal parts between two bounds.

Brohan et al. 2022 (RT-1, section 5.1): bounds per dimension, 256 bins. Two readings, by `decoding`:

* "centres" (default): 256 intervals, decoded to their middles; the error is at most half an interval.
* "rt1": what RT-1's public code computes (`tokenizers/action_tokenizer.py`): 255 steps, the fraction cut off, decoded to
  the LOWER edge. Both bounds come back exactly, but the last token holds the upper bound alone, the error reaches a whole
  step, and over many actions their mean is half a step too low. There for checkpoints trained that way.

Neither has 0 as a value where the bounds are symmetric: holding still decodes to half a bin of motion. Values outside
the bounds are clipped. Decoding is valid for every token.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks
from reverie.actions.codec import Array, CodecSpec, Decoded, Tokens
from reverie.core import ActionSpec, ReverieError

Decoding = Literal["centres", "rt1"]
NARROWEST = 1e-3
"""A dimension that varies less in training is given bounds this far apart, around its middle."""


@dataclass(frozen=True)
class UniformBins:
    """`low` and `high`: one bound for each action. Tokens are int64 [B, T, A]; `decode` takes them flat, too."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    bins: int = 256
    decoding: Decoding = "centres"
    horizon: int | None = None
    name: ClassVar[str] = "uniform_bins"

    def __post_init__(self) -> None:
        checks.count("bins", self.bins, least=2)
        checks.length(self.horizon)
        checks.bounds(self.low, self.high, self.bins)
        if self.decoding not in get_args(Decoding):
            raise ReverieError(f"decoding is {self.decoding!r}, expected one of {', '.join(get_args(Decoding))}")

    @classmethod
    def fit(
        cls, actions: NDArray[np.floating], bins: int = 256, decoding: Decoding = "centres", horizon: int | None = None
    ) -> Self:
        """Bounds are the smallest and the largest value of each action in [N, T, A]."""
        values = checks.training_chunks(actions)
        low, high = widened(values.min((0, 1)), values.max((0, 1)))
        return cls(low, high, bins, decoding, horizon)

    @classmethod
    def of_spec(cls, spec: ActionSpec, bins: int = 256, decoding: Decoding = "centres") -> Self:
        """Bounds are those of the action spec, as RT-1 has them. Errors: ReverieError for a spec without bounds."""
        if spec.low is None or spec.high is None:
            raise ReverieError(f"the action spec of {spec.names} has no bounds: give low and high, or fit them on data")
        return cls(spec.low, spec.high, bins, decoding)

    @property
    def spec(self) -> CodecSpec:
        a = len(self.low)
        return CodecSpec("tokens", a, self.bins, self.horizon and self.horizon * a, self.horizon)

    def encode(self, actions: NDArray[np.floating]) -> Tokens:
        values = checks.chunks(actions, len(self.low), self.horizon)
        if self.decoding == "rt1":
            # one float32 step up: what decodes to an edge, rounded below it, must come back to its own token
            values = np.nextafter(values.astype(np.float32), np.float32(np.inf)).astype(np.float64)
        low, high = np.array(self.low), np.array(self.high)
        part = ((values - low) / (high - low)).clip(0, 1)
        return np.asarray(np.minimum(np.floor(part * self._steps), self.bins - 1), np.int64)

    def decode(self, codes: Tokens) -> Array:
        tokens = checks.token_grid(codes, len(self.low), self.bins, self.horizon)
        low, high = np.array(self.low), np.array(self.high)
        middle = 0.5 if self.decoding == "centres" else 0.0
        return np.asarray(low + (tokens + middle) / self._steps * (high - low), np.float32)

    def decode_rows(self, codes: Tokens) -> Decoded:
        return Decoded(self.decode(codes))

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        values = checks.chunks(actions, len(self.low), self.horizon)
        return np.asarray((values < self.low) | (values > self.high))

    @property
    def _steps(self) -> int:
        return self.bins if self.decoding == "centres" else self.bins - 1

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        return checks.build(cls, checks.entries(cls, value, where), where)  # type: ignore[no-any-return]


def widened(low: NDArray[np.floating], high: NDArray[np.floating]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bounds [A], at least `NARROWEST` apart."""
    middle, half = (low + high) / 2, np.maximum(high - low, NARROWEST) / 2
    return tuple((middle - half).tolist()), tuple((middle + half).tolist())
