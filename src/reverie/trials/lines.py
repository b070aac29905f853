"""Append-only files of JSON lines that survive a kill: durable when `append` returns, whole when `read`.

Knows lines, not what they mean. A line counts once its newline is on disk; what a kill left behind the last newline was
never acknowledged and is dropped with a note. Damage anywhere else is an error that names the line.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reverie.core import ReverieError
from reverie.core.files import sync

VERSION = 1


class Line(NamedTuple):
    """number: from 1; start: the byte at which it begins."""

    number: int
    start: int
    record: dict[str, Any]


def append(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Add one line per record and wait until they are on disk. NaN is refused: it is not JSON."""
    if not records:
        return
    new = not path.exists()
    text = "".join(
        json.dumps({"v": VERSION, **r}, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n" for r in records
    )
    with path.open("ab") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync(path.parent)


def read(path: Path) -> Iterator[Line]:
    """Lines one at a time. A file that does not exist holds none."""
    if not path.exists():
        return
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):  # else: cut short by a kill, never acknowledged
                yield Line(number, start, parse(line, path, number))
            start += len(line)


def read_at(path: Path, start: int) -> Line:
    """The line that begins at this byte, as `read` gave it; its number is not known (0)."""
    with path.open("rb") as file:
        file.seek(start)
        return Line(0, start, parse(file.readline(), path, 0))


def parse(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ReverieError(
            f"{path}, line {number}: not JSON ({error}); found {line[:60]!r}. "
            "Only the last line can be cut short by a kill: restore the file, or delete this line to run its block again"
        ) from None
    version = record.get("v") if isinstance(record, dict) else None
    if version != VERSION:
        raise ReverieError(
            f"{path}, line {number}: record version is {version!r}, expected {VERSION}: written by another version of Reverie"
        )
    del record["v"]
    return dict(record)


def recover(path: Path) -> str | None:
    """Cut what lies behind the last newline off the file; returns a note where there was something."""
    if not path.exists():
        return None
    size = path.stat().st_size
    with path.open("rb+") as file:
        whole = _end_of_last_line(file, size)
        if whole == size:
            return None
        file.truncate(whole)
        os.fsync(file.fileno())
    return f"{path}: dropped an incomplete last line ({size - whole} bytes) that a kill left behind"


def _end_of_last_line(file: Any, size: int) -> int:
    """Position behind the last newline, searched from the end in blocks."""
    end = size
    while end > 0:
        start = max(end - 65536, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        end = start
    return 0
