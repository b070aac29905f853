"""TFRecord files and tf.train.Example messages, without TensorFlow.

A record is: length (uint64, little endian), its masked CRC-32C, the bytes, their masked CRC-32C. An Example is a protocol
buffer: a map from names to a list of bytes, of float32 or of int64. What the names mean is not known here.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError
from reverie.data.crc32c import masked_crc32c

Value = list[bytes] | NDArray[np.float32] | NDArray[np.int64]
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


def read_records(path: Path) -> Iterator[bytes]:
    """The records of one file, each checked.

    Errors: ReverieError for a missing, truncated or damaged file, after the whole records before the damage.
    """
    if not path.is_file():
        raise ReverieError(f"{path}: found no such file, expected a TFRecord file; copy the data set again")
    with path.open("rb") as file:
        number = 0
        while head := file.read(12):
            where = f"{path}, record {number} at byte {file.tell() - len(head)}"
            if len(head) < 12:
                raise ReverieError(
                    f"{where}: found {len(head)} bytes of a header, expected 12; truncated: copy it again"
                )
            length, length_crc = struct.unpack("<QI", head)
            if masked_crc32c(head[:8]) != length_crc:
                raise ReverieError(
                    f"{where}: found a header with a wrong checksum; damaged or no TFRecord: copy it again"
                )
            body = file.read(length + 4)
            if len(body) < length + 4:
                raise ReverieError(f"{where}: found {len(body)} bytes, expected {length + 4}; truncated: copy it again")
            if masked_crc32c(body[:length]) != struct.unpack("<I", body[length:])[0]:
                raise ReverieError(f"{where}: found {length} bytes with a wrong checksum; damaged: copy it again")
            yield body[:length]
            number += 1


def parse_example(record: bytes, where: str) -> dict[str, Value]:
    """Name -> list of bytes, or array of float32 or int64. `where` names the record in errors."""
    try:
        found = {}
        for features in _fields(memoryview(record), 1):
            for entry in _fields(features, 1):
                (name,), (feature,) = list(_fields(entry, 1)), list(_fields(entry, 2))
                found[bytes(name).decode()] = _values(feature)
        return found
    except (ValueError, IndexError, struct.error) as error:
        raise ReverieError(
            f"{where}: found bytes that are no tf.train.Example ({error}); is this a TFDS data set?"
        ) from error


def _values(feature: memoryview) -> Value:
    for number, _, value in _messages(feature):
        if number == 1:
            return [bytes(item) for item in _fields(value, 1)]
        if number == 2:
            return np.frombuffer(b"".join(bytes(v) for v in _fields(value, 1)), dtype="<f4").astype(np.float32)
        if number == 3:
            return np.array([n for kind, v in _kinds(value) for n in _integers(kind, v)], dtype=np.int64)
    return []


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, _, value in _messages(message) if number == wanted)


def _kinds(message: memoryview) -> Iterator[tuple[int, Any]]:
    return ((kind, value) for number, kind, value in _messages(message) if number == 1)


def _messages(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, bytes) of every field; the number itself for a varint."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, kind, value
            continue
        if kind == _LEN:
            size, at = _varint(message, at)
        elif kind in (_I32, _I64):
            size = 4 if kind == _I32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(message):
            raise ValueError(f"a field of {size} bytes where {len(message) - at} are left")
        yield tag >> 3, kind, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _integers(kind: int, value: Any) -> Iterator[int]:
    """One number, or many packed ones; two's complement of 64 bits."""
    if kind == _VARINT:
        yield value - (1 << 64) if value >> 63 else value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number - (1 << 64) if number >> 63 else number
