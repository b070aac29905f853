"""Which keys were seen, and a short text beside each, in the same memory however many there are.

A SQLite database without a name is private and temporary: a few megabytes of it stay in memory, the rest lies in a file
that vanishes with it. Keys are told apart by 128 bits of a hash.
"""

import hashlib
import sqlite3
from collections.abc import Hashable
from types import TracebackType

CACHE_KIB = 4000


class KeyTable:
    """`with KeyTable() as seen:` frees the file at the end."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for line in (f"PRAGMA cache_size=-{CACHE_KIB}", "PRAGMA journal_mode=OFF"):
            self._rows.execute(line)
        self._rows.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID")
        self._rows.execute("BEGIN")  # one transaction that never ends: nothing here outlives the process
        self._n = 0

    def __enter__(self) -> "KeyTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._n

    def __contains__(self, key: Hashable) -> bool:
        return self.get(key) is not None

    def get(self, key: Hashable) -> str | None:
        """The text beside a key; None for a key that was never put in."""
        row = self._rows.execute("SELECT text FROM seen WHERE key = ?", (_digest(key),)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: Hashable, text: str = "") -> str | None:
        """Keep `text` beside a new key and return None; a key that is there keeps its own, which is returned."""
        added = self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (_digest(key), text)).rowcount
        self._n += added
        return None if added else self.get(key)

    def close(self) -> None:
        self._rows.close()


def _digest(key: Hashable) -> bytes:
    """Keys are values whose `repr` says all of them: strings, tuples, frozen dataclasses."""
    return hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
