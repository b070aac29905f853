"""Vocabulary tail: bins take the places of the last, least used tokens of a language model's vocabulary.

Kim et al. 2024 (OpenVLA, section 3.2) and its public code (`prismatic/vla/action_tokenizer.py`): each number is scaled so
that its 1 % and 99 % quantiles become -1 and 1, clipped to that, and put between 256 EDGES, linspace(-1, 1, 256): between
them lie 255 intervals, decoded to their middles (0 is one of them). The token is vocabulary size - edge number, edges counted
from 1, so larger actions have smaller tokens: 31744 .. 31999 in Llama 2's 32000. Edge 256 is reached by exactly 1 alone,
that is by every clipped value; its token 31744 decodes like 31745, so 256 tokens have 255 values.

Deviations: a token that is no action (words) decodes to an interval by clipping there, and so commands the largest motion;
here its row fails. The public scaling adds 1e-8 to the quantiles' distance; here a narrow one is widened.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks
from reverie.actions.codec import Array, CodecSpec, Decoded, Tokens
from reverie.actions.uniform_bins import widened
from reverie.core import ReverieError

LLAMA_2 = 32_000
"""Entries of its vocabulary; OpenVLA's embedding is padded to 32,064 behind them."""


@dataclass(frozen=True)
class VocabularyTail:
    """`low` and `high` become -1 and 1; numbers that are not to be scaled (OpenVLA's gripper) have the bounds -1 and 1.

    Tokens are int64 [B, T, A]; `decode` takes them flat, too.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    bins: int = 256
    vocabulary_size: int = LLAMA_2
    horizon: int | None = None
    name: ClassVar[str] = "vocabulary_tail"

    def __post_init__(self) -> None:
        checks.count("bins", self.bins, least=3)
        checks.count("vocabulary_size", self.vocabulary_size, least=self.bins)
        checks.length(self.horizon)
        checks.bounds(self.low, self.high, self.bins)

    @classmethod
    def fit(
        cls,
        actions: NDArray[np.floating],
        kept: tuple[int, ...] = (),
        bins: int = 256,
        vocabulary_size: int = LLAMA_2,
        horizon: int | None = None,
    ) -> Self:
        """Quantiles 1 % and 99 % of [N, T, A]. `kept`: actions that are not scaled; they must lie within -1 and 1."""
        values = checks.training_chunks(actions)
        low, high = widened(*np.quantile(values, (0.01, 0.99), axis=(0, 1)))
        for i in kept:
            if not 0 <= i < len(low) or np.abs(values[..., i]).max() > 1:
                raise ReverieError(f"action {i} cannot be kept as it is: it is not there, or leaves -1..1; scale it")
        unscaled = dict.fromkeys(kept, (-1.0, 1.0))
        pairs = [unscaled.get(i, pair) for i, pair in enumerate(zip(low, high, strict=True))]
        return cls(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), bins, vocabulary_size, horizon)

    @property
    def first_token(self) -> int:
        """Tokens from here up to the end of the vocabulary are actions."""
        return self.vocabulary_size - self.bins

    @property
    def spec(self) -> CodecSpec:
        a = len(self.low)
        return CodecSpec("tokens", a, self.vocabulary_size, self.horizon and self.horizon * a, self.horizon)

    def encode(self, actions: NDArray[np.floating]) -> Tokens:
        scaled = self._scaled(actions).clip(-1, 1)
        return np.asarray(self.vocabulary_size - np.digitize(scaled, self._edges), np.int64)

    def decode(self, codes: Tokens) -> Array:
        return self.decode_rows(codes).strict()

    def decode_rows(self, codes: Tokens) -> Decoded:
        tokens = checks.token_grid(codes, len(self.low), self.vocabulary_size, self.horizon)
        middles = (self._edges[:-1] + self._edges[1:]) / 2
        scaled = middles[(self.vocabulary_size - tokens - 1).clip(0, self.bins - 2)]
        low, high = np.array(self.low), np.array(self.high)
        actions = np.asarray((scaled + 1) / 2 * (high - low) + low, np.float32)
        failures = {}
        for row in np.flatnonzero((tokens < self.first_token).any((1, 2))).tolist():
            word = tokens[row][tokens[row] < self.first_token][0]
            failures[row] = f"found the token {word}, expected {self.first_token}..{self.vocabulary_size - 1}"
            actions[row] = np.nan
        return Decoded(actions, failures)

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        return np.asarray(np.abs(self._scaled(actions)) > 1)

    @property
    def _edges(self) -> NDArray[np.float64]:
        return np.linspace(-1, 1, self.bins)

    def _scaled(self, actions: NDArray[np.floating]) -> NDArray[np.float64]:
        values = checks.chunks(actions, len(self.low), self.horizon)
        low, high = np.array(self.low), np.array(self.high)
        return np.asarray(2 * (values - low) / (high - low) - 1)

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        return checks.build(cls, checks.entries(cls, value, where), where)  # type: ignore[no-any-return]
