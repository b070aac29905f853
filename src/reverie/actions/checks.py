"""What codecs refuse: chunks and tokens of the wrong shape, values that are not finite, fields that are none."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError, unknown_name

Array = NDArray[np.float64]
LEVEL_STEPS = 4
"""Neighbouring values of a grid must differ by this many steps of a float32, or they would decode to the same number."""


def chunks(actions: Any, action_dim: int | None = None, horizon: int | None = None) -> Array:
    """Chunks [B, T, A] as float64. Errors: ReverieError for another shape, and for the first value that is not finite."""
    values = np.asarray(actions)
    wanted = f"[B, {horizon or 'T'}, {action_dim or 'A'}]"
    fits = values.ndim == 3 and action_dim in (None, values.shape[-1]) and horizon in (None, values.shape[1])
    if not fits or values.dtype.kind not in "fiu" or 0 in values.shape[1:]:
        raise ReverieError(f"actions are {values.dtype} {list(values.shape)}, expected numbers {wanted}")
    if not np.isfinite(values).all():
        b, t, a = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise ReverieError(f"action {a} of row {b}, step {t} is {values[b, t, a]}: not finite")
    return values.astype(np.float64)


def training_chunks(actions: Any) -> Array:
    """As `chunks`, at least one."""
    values = chunks(actions)
    if not len(values):
        raise ReverieError("a codec is fitted on chunks [N >= 1, T, A], found none")
    return values


def token_grid(tokens: Any, action_dim: int, size: int, horizon: int | None = None) -> NDArray[np.int64]:
    """Tokens [B, T, A], or flat [B, T * A] (step after step), as int64 [B, T, A], each in 0 .. size - 1."""
    values = np.asarray(tokens)
    if values.ndim == 2 and values.shape[1] and values.shape[1] % action_dim == 0:
        values = values.reshape(len(values), -1, action_dim)
    fits = values.ndim == 3 and values.shape[-1] == action_dim and horizon in (None, values.shape[1])
    if not fits or not values.shape[1] or values.dtype.kind not in "iu":
        raise ReverieError(
            f"tokens are {values.dtype} {list(values.shape)}, expected whole numbers [B, {horizon or 'T'}, {action_dim}], "
            "or the same flat"
        )
    outside = np.flatnonzero(((values < 0) | (values >= size)).any((1, 2)))
    for row in outside[:1].tolist():
        token_range(values[row], size, row)
    return values.astype(np.int64)


def token_range(tokens: NDArray[Any], size: int, row: int) -> None:
    """Errors: ReverieError for the first token outside 0 .. size - 1."""
    wrong = tokens[(tokens < 0) | (tokens >= size)]
    if wrong.size:
        raise ReverieError(f"row {row} has the token {wrong.flat[0]}, expected 0..{size - 1}")


def bounds(low: Any, high: Any, steps: int) -> None:
    """Two tuples of finite numbers, one for each action, with room for `steps` different float32 numbers between."""
    for name, values in (("low", low), ("high", high)):
        floats(name, values)
    if len(low) != len(high):
        raise ReverieError(f"low has {len(low)} numbers, high {len(high)}: give one each for every action")
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        if not (b - a) / steps >= LEVEL_STEPS * float(np.spacing(np.float32(max(abs(a), abs(b))))):
            raise ReverieError(
                f"action {i} runs from {a} to {b}, expected room for {steps} different float32 numbers; widen its bounds"
            )


def floats(name: str, values: Any) -> None:
    """A tuple of at least one finite number."""
    if not isinstance(values, tuple) or not values or not all(_is_number(v) for v in values):
        raise ReverieError(f"{name} is {str(values)[:80]}, expected a list of finite numbers, at least one")


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def count(name: str, value: Any, least: int = 1) -> None:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ReverieError(f"{name} is {value!r}, expected a whole number >= {least}")


def length(horizon: Any) -> None:
    """A horizon, or None for any."""
    if horizon is not None:
        count("horizon", horizon)


def entries(cls: type[Any], value: Any, where: str) -> dict[str, Any]:
    """The fields of the dataclass `cls` out of what its `to_dict` gave, lists as tuples.

    Errors: ReverieError for no object, another codec's, an entry that is unknown and one that is missing.
    """
    if not isinstance(value, Mapping):
        raise ReverieError(f"{where}: found {str(value)[:80]}, expected an object with the entries of {cls.name!r}")
    if value.get("name") != cls.name:
        raise ReverieError(f"{where}: found the codec {value.get('name')!r}, expected {cls.name!r}")
    known = {f.name: f.default is MISSING for f in fields(cls)}
    for name in value:
        if name not in known and name != "name":
            raise unknown_name(f"entry of {where}:", str(name), list(known))
    if missing := [name for name, needed in known.items() if needed and name not in value]:
        raise ReverieError(f"{where}: found no {', '.join(missing)}, expected {', '.join(known)}")
    return {k: _tuples(v) for k, v in value.items() if k != "name"}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def build(cls: type[Any], read: Mapping[str, Any], where: str) -> Any:
    """`cls(**read)`; what it refuses is said with `where`."""
    try:
        return cls(**read)
    except ReverieError as error:
        raise ReverieError(f"{where}: {error}") from None
