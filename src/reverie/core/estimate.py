"""Estimate: a number that never travels without its interval, its n and how it was computed.

Knows the shape of a result and that absent is not zero. Does not know any statistics: `reverie.stats` fills it in.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A value with an interval, the number of units it rests on, and its method.

    `value` None means absent (nothing was measured, or the quantity is undefined for this input), which is never 0.
    A present value may lack an interval: `low` and `high` are then both None. The interval need not contain the value
    (a bias-corrected bootstrap interval may not). `n` counts the units named in `method` (trials, policies, pairs);
    `level` is the nominal coverage in (0, 1). `reason` says why a value or its interval is absent.

    Raises ValueError for a number that is not finite, limits in the wrong order, one limit without the other,
    an interval without a value, a negative n, or a level outside (0, 1).
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    level: float
    reason: str | None = None

    def __post_init__(self) -> None:
        for name, number in (("value", self.value), ("low", self.low), ("high", self.high)):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name}: found {number}, expected a finite number, or None where it is absent")
        if (self.low is None) != (self.high is None):
            raise ValueError(f"low, high: found {self.low}, {self.high}, expected both limits or neither")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low, high: found {self.low} > {self.high}, expected low <= high")
        if self.value is None and self.low is not None:
            raise ValueError(f"value: found None with limits {self.low}, {self.high}, expected no limits either")
        if self.n < 0:
            raise ValueError(f"n: found {self.n}, expected 0 or more")
        if not 0 < self.level < 1:
            raise ValueError(f"level: found {self.level}, expected a number in (0, 1) such as 0.95")

    @classmethod
    def absent(cls, n: int, method: str, level: float, reason: str) -> "Estimate":
        """No value and no interval, for a stated reason."""
        return cls(None, None, None, n, method, level, reason)

    def to_dict(self) -> dict[str, Any]:
        """The seven fields by name, ready for JSON."""
        return asdict(self)
