"""The one door of `reverie.stats`: untyped numbers come in, arrays that mean something go on.

Every error is a ValueError that names the argument, what was found and what was expected.
Knows no statistics.
"""

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]


def as_count(name: str, value: Any, minimum: int = 0) -> int:
    """A whole number of at least `minimum`; floats and booleans are refused even when they are whole."""
    wanted = f"expected an integer of at least {minimum}"
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}: found {value!r}, {wanted}")
    try:
        count = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: found {value!r} ({type(value).__name__}), {wanted}") from None
    if count < minimum:
        raise ValueError(f"{name}: found {count}, {wanted}")
    return count


def as_successes(successes: Any, n: Any, names: tuple[str, str] = ("successes", "n")) -> tuple[int, int]:
    """Two counts, the first of them no larger than the second."""
    k, total = as_count(names[0], successes), as_count(names[1], n)
    if k > total:
        raise ValueError(f"{names[0]}: found {k} of {names[1]} = {total}, expected at most {total}")
    return k, total


def as_level(value: float) -> float:
    """A nominal coverage in (0, 1)."""
    if not 0 < value < 1:
        raise ValueError(f"level: found {value}, expected a number in (0, 1) such as 0.95")
    return float(value)


def check_choice(name: str, value: str, known: Sequence[str]) -> None:
    """One of the known names, or an error that lists them."""
    if value not in known:
        raise ValueError(f"{name}: found {value!r}, expected one of {', '.join(known)}")


def as_vector(name: str, values: ArrayLike) -> FloatArray:
    """[K] finite numbers."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {values!r}, expected a list of numbers") from None
    if array.ndim != 1:
        raise ValueError(f"{name}: found shape {array.shape}, expected one dimension")
    if not np.isfinite(array).all():
        where = np.flatnonzero(~np.isfinite(array))
        raise ValueError(
            f"{name}: found {array[where[0]]} at index {where[0]} ({len(where)} such), "
            "expected finite numbers; leave out what was not measured"
        )
    return array


def as_vectors(predicted: ArrayLike, real: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two [K] arrays, one number a policy on either side, rounded to 12 decimals.

    Rates that differ in the last digit only (0.1 + 0.2 against 0.3) are the same rate: a tie, not a rank.
    """
    first, second = np.round(as_vector("predicted", predicted), 12), np.round(as_vector("real", real), 12)
    if first.shape != second.shape:
        raise ValueError(f"predicted, real: found {len(first)} and {len(second)} values, expected one each per policy")
    return first, second


def as_rates(name: str, values: ArrayLike) -> FloatArray:
    """[K] numbers in [0, 1]."""
    array = as_vector(name, values)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(f"{name}: found values from {array.min()} to {array.max()}, expected rates in [0, 1]")
    return array


def as_outcomes(name: str, values: ArrayLike) -> FloatArray:
    """[N] outcomes, each 0 or 1. An outcome that is neither (error, refused, abstained) has no place in a rate."""
    array = as_vector(name, values)
    odd = array[(array != 0) & (array != 1)]
    if odd.size:
        raise ValueError(f"{name}: found {odd[0]} ({odd.size} such), expected outcomes that are 0 or 1")
    return array


def as_outcome_pairs(first: ArrayLike, second: ArrayLike, names: tuple[str, str]) -> tuple[FloatArray, FloatArray]:
    """Two [N] arrays of outcomes of the same N trials."""
    one, two = as_outcomes(names[0], first), as_outcomes(names[1], second)
    if one.shape != two.shape:
        raise ValueError(f"{names[0]}, {names[1]}: found {len(one)} and {len(two)} outcomes, expected pairs")
    return one, two
