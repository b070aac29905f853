"""TFRecord and tf.train.Example, against published check values and messages written out byte by byte."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.core import ReverieError
from reverie.data.crc32c import crc32c, masked_crc32c
from reverie.data.tfrecord import parse_example, read_records


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # this and the next three: RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_crc32c_of_published_examples(data, wanted):
    assert crc32c(data) == wanted


def one_bit_at_a_time(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=20), st.integers(0, 1600))
def test_crc32c_of_any_length(piece, length):
    data = (piece * 1600)[:length] + piece
    assert crc32c(data) == one_bit_at_a_time(data)


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def example(**features):
    entries = [field(1, field(1, name.encode()) + field(2, value)) for name, value in features.items()]
    return field(1, b"".join(entries))


def test_every_kind_of_list_is_parsed():
    record = example(
        texts=field(1, field(1, b"one") + field(1, b"")),
        floats=field(2, field(1, struct.pack("<3f", 1.5, -2.0, 1e30))),
        loose_floats=field(2, b"".join(b"\x0d" + struct.pack("<f", v) for v in (1.0, 2.0))),
        integers=field(3, field(1, varint(5) + varint(-1) + varint(2**62))),
        loose_integers=field(3, b"\x08" + varint(300) + b"\x08" + varint(-7)),
        nothing=b"",
    )
    found = parse_example(record, "here")
    assert found["texts"] == [b"one", b""]
    assert found["nothing"] == []
    np.testing.assert_array_equal(found["floats"], np.array([1.5, -2.0, 1e30], np.float32))
    assert found["loose_floats"].tolist() == [1.0, 2.0]
    assert found["integers"].tolist() == [5, -1, 2**62]
    assert found["loose_integers"].tolist() == [300, -7]


@pytest.mark.parametrize("record", [b"\x0a\xff", b"\x0a\x05\x0a", b"\x0f", field(1, field(1, field(1, b"name")))])
def test_bytes_that_are_no_example(record):
    with pytest.raises(ReverieError, match=r"here: found bytes that are no tf.train.Example"):
        parse_example(record, "here")


def as_file(path, records):
    def whole(data):
        head = struct.pack("<Q", len(data))
        return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))

    path.write_bytes(b"".join(whole(r) for r in records))
    return path


def test_records(tmp_path):
    records = [b"a" * 1000, b"", b"bc"]
    assert list(read_records(as_file(tmp_path / "r", records))) == records
    assert list(read_records(as_file(tmp_path / "empty", []))) == []


@pytest.mark.parametrize("cut", [1, 3, 5, 17])
def test_truncated(tmp_path, cut):
    path = as_file(tmp_path / "r", [b"first", b"bc"])
    path.write_bytes(path.read_bytes()[:-cut])
    records = read_records(path)
    assert next(records) == b"first"
    with pytest.raises(ReverieError, match=r"record 1 at byte 21: found .*truncated"):
        list(records)


@pytest.mark.parametrize(
    ("at", "message"), [(0, "header with a wrong checksum"), (14, "5 bytes with a wrong checksum")]
)
def test_damaged(tmp_path, at, message):
    path = as_file(tmp_path / "r", [b"first"])
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ReverieError, match=f"record 0 at byte 0: found .*{message}"):
        list(read_records(path))


def test_missing(tmp_path):
    with pytest.raises(ReverieError, match="found no such file"):
        list(read_records(tmp_path / "no"))
