"""Quantile bins: as many training values in every bin, so that common actions are told apart finely and rare ones coarsely.

The `bins` values that tokens decode to are quantiles of the training data, from its smallest to its largest value; a number
goes to the nearest of them. So the error within the bounds is at most half the gap between two neighbours, and a number
that takes few values (a gripper that is 0 or 1) comes back exactly. Bins between quantile EDGES, the obvious
other way, put both ends of such a gripper into one bin and answer a half.

Values outside the bounds are clipped. Decoding is valid for every token; where several have one value, `encode` gives the first.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks
from reverie.actions.codec import Array, CodecSpec, Decoded, Tokens
from reverie.core import ReverieError


@dataclass(frozen=True)
class QuantileBins:
    """`levels`: for each action what its tokens decode to, ascending, equally many. Tokens are int64 [B, T, A]."""

    levels: tuple[tuple[float, ...], ...]
    horizon: int | None = None
    name: ClassVar[str] = "quantile_bins"

    def __post_init__(self) -> None:
        checks.length(self.horizon)
        if not isinstance(self.levels, tuple) or not self.levels:
            raise ReverieError(f"levels is {str(self.levels)[:80]}, expected a list of values for each action")
        for i, values in enumerate(self.levels):
            checks.floats(f"levels[{i}]", values)
            if len(values) != len(self.levels[0]) or len(values) < 2 or (np.diff(values) < 0).any():
                raise ReverieError(f"levels[{i}] must be at least 2 ascending values, as many as the others have")

    @classmethod
    def fit(cls, actions: NDArray[np.floating], bins: int = 256, horizon: int | None = None) -> Self:
        """From [N, T, A]; every level is a value that occurs there."""
        checks.count("bins", bins, least=2)
        values = checks.training_chunks(actions)
        at = np.linspace(0, 1, bins)
        levels = np.quantile(values.reshape(-1, values.shape[-1]).astype(np.float32), at, axis=0, method="nearest")
        return cls(tuple(tuple(column) for column in levels.T.tolist()), horizon)

    @property
    def spec(self) -> CodecSpec:
        a = len(self.levels)
        return CodecSpec("tokens", a, len(self.levels[0]), self.horizon and self.horizon * a, self.horizon)

    def encode(self, actions: NDArray[np.floating]) -> Tokens:
        values = checks.chunks(actions, len(self.levels), self.horizon)
        return np.stack([_nearest(np.array(own), values[..., i]) for i, own in enumerate(self.levels)], axis=-1)

    def decode(self, codes: Tokens) -> Array:
        tokens = checks.token_grid(codes, len(self.levels), len(self.levels[0]), self.horizon)
        return np.asarray(np.array(self.levels)[np.arange(len(self.levels)), tokens], np.float32)

    def decode_rows(self, codes: Tokens) -> Decoded:
        return Decoded(self.decode(codes))

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        values, levels = checks.chunks(actions, len(self.levels), self.horizon), np.array(self.levels)
        return np.asarray((values < levels[:, 0]) | (values > levels[:, -1]))

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        return checks.build(cls, checks.entries(cls, value, where), where)  # type: ignore[no-any-return]


def _nearest(levels: NDArray[np.float64], values: NDArray[np.float64]) -> Tokens:
    """The first token of the level nearest to each value; halfway, the lower one."""
    nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, values, side="left")
    return np.searchsorted(levels, levels[nearest], side="left").astype(np.int64)
