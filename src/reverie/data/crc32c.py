"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) of long byte strings, without a C extension.

A cyclic redundancy check is linear over GF(2): the bytes are cut into rows that NumPy advances side by side, one column
of bytes at a time, and the rows' remainders are joined by "advance over one row of zeros", which is a table.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0x82F63B78)  # reflected
_ROW = 512  # bytes; about the square root of a record of a few hundred kB


def _byte_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    return table


_BYTES = _byte_table()


def _advance(registers: NDArray[np.uint32], columns: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Feed each register [n] its row of bytes; columns: [length, n]."""
    for column in columns:
        registers = _BYTES[(registers ^ column) & 0xFF] ^ (registers >> np.uint32(8))
    return registers


@cache
def _row_of_zeros() -> tuple[list[int], ...]:
    """Four tables, one for each byte of a register: where it is after _ROW zero bytes."""
    values = (np.arange(256, dtype=np.uint32)[None] << np.array([0, 8, 16, 24], dtype=np.uint32)[:, None]).reshape(-1)
    after = _advance(values, np.zeros((_ROW, values.size), dtype=np.uint8)).reshape(4, 256)
    return tuple(table.tolist() for table in after)


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum (RFC 3720, appendix B.4) of any number of bytes."""
    whole = len(data) // _ROW * _ROW
    rows = np.frombuffer(data, dtype=np.uint8, count=whole).reshape(-1, _ROW)
    remainders = _advance(np.zeros(len(rows), dtype=np.uint32), np.ascontiguousarray(rows.T))
    register = 0xFFFFFFFF
    t0, t1, t2, t3 = _row_of_zeros()
    for remainder in remainders.tolist():
        register = (
            t0[register & 255] ^ t1[register >> 8 & 255] ^ t2[register >> 16 & 255] ^ t3[register >> 24] ^ remainder
        )
    tail = (
        np.frombuffer(data, dtype=np.uint8, offset=whole)[:, None] if whole < len(data) else np.empty((0, 1), np.uint8)
    )
    return int(_advance(np.array([register], dtype=np.uint32), tail)[0]) ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """As TFRecord stores it: rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
