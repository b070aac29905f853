"""Continuous: no tokens, only numbers of about unit size, for heads that regress or generate.

"mean": zero mean, unit spread (Octo, ACT, pi0). "quantiles": the 1 % and 99 % quantiles become -1 and 1, and what lies outside
is NOT clipped (pi0.5). The two are not interchangeable: a checkpoint read with the other one's numbers fails silently.
Nothing is clipped; decoding is valid for all finite numbers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks
from reverie.actions.codec import Array, CodecSpec, Decoded
from reverie.actions.normalisation import Normalisation, by_mean, by_quantiles, keep
from reverie.core import ReverieError

FLOOR = 1e-3
"""Smallest scale, in the action's unit: see `by_mean`."""


@dataclass(frozen=True)
class Continuous:
    """(x - offset) / scale for each action; codes are float32 [B, T, A]."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    horizon: int | None = None
    name: ClassVar[str] = "continuous"

    def __post_init__(self) -> None:
        checks.length(self.horizon)
        for field in ("offset", "scale"):
            checks.floats(field, getattr(self, field))
        if len(self.offset) != len(self.scale):
            raise ReverieError(f"offset has {len(self.offset)} numbers, scale {len(self.scale)}: give one each")
        Normalisation(self.offset, self.scale)

    @classmethod
    def fit(
        cls,
        actions: NDArray[np.floating],
        by: Literal["mean", "quantiles"] = "mean",
        kept: tuple[int, ...] = (),
        floor: float = FLOOR,
        horizon: int | None = None,
    ) -> Self:
        """From [N, T, A]. `kept`: actions that stay as they are (an opening between 0 and 1)."""
        values = checks.training_chunks(actions)
        methods = {"mean": by_mean, "quantiles": by_quantiles}
        if by not in methods:
            raise ReverieError(f"by is {by!r}, expected one of {', '.join(methods)}")
        if any(not 0 <= i < values.shape[-1] for i in kept):
            raise ReverieError(f"kept is {list(kept)}, expected numbers of the {values.shape[-1]} actions, from 0")
        found = keep(methods[by](values.reshape(-1, values.shape[-1]), floor), kept)
        return cls(found.offset, found.scale, horizon)

    @property
    def spec(self) -> CodecSpec:
        return CodecSpec("numbers", len(self.offset), None, None, self.horizon)

    def encode(self, actions: NDArray[np.floating]) -> Array:
        values = checks.chunks(actions, len(self.offset), self.horizon)
        return Normalisation(self.offset, self.scale).encode(values)

    def decode(self, codes: Array) -> Array:
        values = checks.chunks(codes, len(self.offset), self.horizon)
        return Normalisation(self.offset, self.scale).decode(values)

    def decode_rows(self, codes: Array) -> Decoded:
        return Decoded(self.decode(codes))

    def clipped(self, actions: NDArray[np.floating]) -> NDArray[np.bool_]:
        return np.zeros(checks.chunks(actions, len(self.offset), self.horizon).shape, np.bool_)

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "offset": list(self.offset), "scale": list(self.scale), "horizon": self.horizon}

    @classmethod
    def from_dict(cls, value: Any, where: str = "codec") -> Self:
        return checks.build(cls, checks.entries(cls, value, where), where)  # type: ignore[no-any-return]
