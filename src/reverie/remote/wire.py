"""Messages of the openpi protocol: msgpack with NumPy arrays as maps, and nothing that could run code.

An array is {b"__ndarray__": true, b"data": bytes in C order, b"dtype": "<f4", b"shape": [...]}, a NumPy number
{b"__npgeneric__": true, b"data": value, b"dtype": "<f8"}. Written with bytes as keys, read with strings too. Dtypes that are
not plain numbers are refused both ways.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.core import ReverieError

PLAIN = "biuf"
"""Kinds of dtypes: booleans, whole numbers, floats."""


def msgpack() -> Any:
    """The package, or what to install."""
    try:
        import msgpack as package
    except ImportError:
        raise ReverieError("policy servers need msgpack and websockets: pip install 'reverie[serve]'") from None
    return package


def pack(message: Any) -> bytes:
    """Errors: ReverieError for what cannot be sent."""
    packed: bytes = msgpack().packb(message, default=_pack_array)
    return packed


def unpack(content: bytes) -> Any:
    """Arrays come back read-only. Errors: ReverieError for anything but one whole message."""
    package = msgpack()
    try:
        return package.unpackb(content, object_hook=_unpack_array)
    except ReverieError:
        raise
    except (package.UnpackException, ValueError, TypeError, KeyError) as error:
        raise ReverieError(
            f"found {len(content)} bytes that are no msgpack message ({error!r}); expected one"
        ) from None


def _pack_array(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {
            b"__ndarray__": True,
            b"data": value.tobytes(),
            b"dtype": _plain(value.dtype).str,
            b"shape": value.shape,
        }
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": _plain(value.dtype).str}
    raise ReverieError(f"found a {type(value).__name__}, expected numbers, strings, arrays, lists and maps of them")


def _unpack_array(value: dict[Any, Any]) -> Any:
    named = {k.decode() if isinstance(k, bytes) else k: v for k, v in value.items()}
    if named.get("__ndarray__"):
        return _array(named)
    if named.get("__npgeneric__"):
        return _plain(np.dtype(_text(named["dtype"]))).type(named["data"])
    return value


def _array(named: Mapping[Any, Any]) -> Any:
    dtype, shape = _plain(np.dtype(_text(named["dtype"]))), tuple(int(n) for n in named["shape"])
    return np.frombuffer(named["data"], dtype).reshape(shape)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in PLAIN:
        raise ReverieError(f"found an array of {dtype}, expected plain numbers")
    return dtype
