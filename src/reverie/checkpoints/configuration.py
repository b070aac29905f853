"""Frozen configurations from the JSON values of a checkpoint, with what is wrong in them named."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from reverie.core import ReverieError, unknown_name

T = TypeVar("T")


def from_values(kind: type[T], values: Mapping[str, Any], where: Path | str) -> T:
    """Build the dataclass `kind`, nested ones and tuples included. Entries that are not there take their default."""
    hints, known = get_type_hints(kind), [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise unknown_name(f"configuration entry of {kind.__name__} in {where}", name, known)
    read = {}
    for name, value in values.items():
        nested = _dataclass_in(hints[name])
        if nested is not None and isinstance(value, Mapping):
            read[name] = from_values(nested, value, where)
        else:
            read[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**read)
    except (TypeError, ValueError) as error:
        raise ReverieError(f"configuration of {kind.__name__} in {where} cannot be used: {error}") from error


def _dataclass_in(hint: Any) -> type[Any] | None:
    """The dataclass that a type or an optional type names."""
    return next((h for h in (hint, *get_args(hint)) if isinstance(h, type) and is_dataclass(h)), None)
