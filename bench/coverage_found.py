"""What a row of `coverage.py` found: rates at points of a range, exact, or one simulated rate over the range."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reverie.stats import wilson

Generator = np.random.Generator


@dataclass(frozen=True)
class Found:
    """Average over the range; lowest and highest over its points, or the limits of a simulated average. n None: exact, else
    repetitions (at every point, where `parts` names points). width: mean width of the intervals, where it was looked at."""

    mean: float
    lowest: float
    highest: float
    n: int | None = None
    parts: tuple[tuple[str, float], ...] = ()
    undefined: int = 0
    width: float | None = None

    def to_dict(self) -> dict[str, Any]:
        exact = {"how": "exact enumeration"} if self.n is None else {"how": "simulation", "undefined": self.undefined}
        more = {"width": self.width, "parts": dict(self.parts) or None}
        there = {name: value for name, value in more.items() if value is not None}
        return {"value": self.mean, "lowest": self.lowest, "highest": self.highest, "n": self.n, **exact, **there}


def enumerated(rates: np.ndarray) -> Found:
    return Found(float(rates.mean()), float(rates.min()), float(rates.max()))


def joined(parts: Sequence[tuple[str, Found]]) -> Found:
    """Several sizes: the average that is furthest from 95 % stands for all, beside the average of each."""
    worst = max((f.mean for _, f in parts), key=lambda mean: abs(mean - 0.95))
    lowest, highest = min(f.lowest for _, f in parts), max(f.highest for _, f in parts)
    return Found(worst, lowest, highest, parts=tuple((name, f.mean) for name, f in parts))


def drawn(hit: Callable[[Generator], bool | None], repetitions: int, seed: int = 0) -> Found:
    """How often `hit` is true, with Wilson's interval; None (no interval, no p) is counted beside."""
    rng = np.random.default_rng(seed)
    hits = [hit(rng) for _ in range(repetitions)]
    defined = [h for h in hits if h is not None]
    rate = wilson(sum(map(bool, defined)), len(defined))
    if rate.value is None or rate.low is None or rate.high is None:
        return Found(float("nan"), float("nan"), float("nan"), 0, undefined=len(hits))
    return Found(rate.value, rate.low, rate.high, len(defined), undefined=len(hits) - len(defined))
