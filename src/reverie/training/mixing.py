"""Several sources as one: each step draws its whole batch from one of them, by lot, in given shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reverie.core import ReverieError, content_hash, generator
from reverie.training.source import WHOLE, Source


@dataclass(frozen=True)
class Mixed:
    """sources by name with their shares; validation keeps each source's own, under `<name>/<metric>`."""

    sources: Mapping[str, Source]
    shares: Mapping[str, float]
    seed: int = 0

    def __post_init__(self) -> None:
        if set(self.sources) != set(self.shares) or min(self.shares.values()) <= 0:
            raise ReverieError(f"shares {dict(self.shares)} must be positive, one for each of {sorted(self.sources)}")

    @property
    def fingerprint(self) -> str:
        return content_hash([[n, s.fingerprint, self.shares[n]] for n, s in self.sources.items()] + [self.seed])

    def batch(self, step: int, size: int, rows: slice = WHOLE) -> dict[str, Any]:
        names = list(self.sources)
        total = sum(self.shares.values())
        chosen = generator("mixed", self.seed, step).choice(len(names), p=[self.shares[n] / total for n in names])
        return self.sources[names[chosen]].batch(step, size, rows)

    def validation(self) -> Mapping[str, Iterable[dict[str, Any]]]:
        return {f"{n}/{k}": v for n, s in self.sources.items() for k, v in s.validation().items()}
