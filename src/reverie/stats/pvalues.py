"""The result of a test, and the correction for having made many of them.

Knows what a p-value must say of itself. Does not know any test: those stand beside what they test.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from numpy.typing import ArrayLike
from statsmodels.stats.multitest import multipletests

from reverie.stats.arguments import FloatArray, as_rates

Alternative: TypeAlias = Literal["two-sided", "greater", "less"]
ALTERNATIVES: tuple[Alternative, ...] = ("two-sided", "greater", "less")


@dataclass(frozen=True)
class PValue:
    """A p-value with the units it rests on and its method; `value` None means that there was nothing to test."""

    value: float | None
    n: int
    method: str
    alternative: Alternative
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.value is not None and not (math.isfinite(self.value) and 0 <= self.value <= 1):
            raise ValueError(f"value: found {self.value}, expected a probability, or None where there is no test")

    def to_dict(self) -> dict[str, Any]:
        """The five fields by name, ready for JSON."""
        return asdict(self)


def holm(p_values: ArrayLike) -> FloatArray:
    """[M] p-values of one family -> [M] adjusted p-values in the same order.

    Holm (1979), Scand. J. Statist. 6, 65-70: reject where the adjusted value is <= alpha, and the chance of any false
    rejection in the family is at most alpha, whatever the dependence. Name the family in the output; absent p-values
    are no part of it. Raises ValueError for values outside [0, 1]. By statsmodels.
    """
    family = as_rates("p_values", p_values)
    if family.size == 0:
        return family
    adjusted: FloatArray = multipletests(family, method="holm")[1]
    return adjusted
