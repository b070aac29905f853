"""Journal: the records of a run, open for appending by one process at a time.

It knows what is finished and refuses to write it twice. What it knows lies in tables on disk: a run of any length is
written in the same memory.
"""

import fcntl
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from reverie.core import ReverieError, Trial
from reverie.trials import lines
from reverie.trials.key_table import KeyTable
from reverie.trials.records import RECEIPTS, TRIALS, VERDICTS, Kind, Receipt, TrialVerdict


class Journal:
    """`with Journal(folder) as journal:` recovers what a kill left, locks the run, and appends.

    notes: what recovery dropped, in words.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = _lock(folder)
        try:
            self.notes = [n for kind in _KINDS if (n := lines.recover(folder / kind.file)) is not None]
            self._keys = {kind.file: _keys_of(kind, folder) for kind in _KINDS}
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in self._keys.values():
            table.close()
        self._lock.close()

    @property
    def n_trials(self) -> int:
        return len(self._keys[TRIALS.file])

    def has(self, kind: Kind[Any], record: Any) -> bool:
        return self.has_key(kind, kind.key(record))

    def has_key(self, kind: Kind[Any], key: Any) -> bool:
        return key in self._keys[kind.file]

    def add(self, trials: Sequence[Trial], verdicts: Sequence[TrialVerdict], receipts: Sequence[Receipt]) -> None:
        """Append one block, durably. Trials come last: a trial's line says that everything about it is on disk."""
        self._append(RECEIPTS, receipts)
        self._append(VERDICTS, verdicts)
        self._append(TRIALS, trials)

    def add_missing(
        self, trials: Sequence[Trial], verdicts: Sequence[TrialVerdict], receipts: Sequence[Receipt]
    ) -> None:
        """As `add`, leaving out what is there already (a block that is run again repeats some of it)."""
        self.add(
            [t for t in trials if not self.has(TRIALS, t)],
            [v for v in verdicts if not self.has(VERDICTS, v)],
            [r for r in receipts if not self.has(RECEIPTS, r)],
        )

    def _append(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        keys = [kind.key(r) for r in records]
        repeated = [k for i, k in enumerate(keys) if k in self._keys[kind.file] or k in keys[:i]]
        if repeated:
            raise ReverieError(
                f"{self.folder / kind.file}: {repeated[0]} is recorded already; records are never changed"
            )
        lines.append(self.folder / kind.file, [r.to_dict() for r in records])
        for key in keys:
            self._keys[kind.file].put(key)


_KINDS: tuple[Kind[Any], ...] = (TRIALS, VERDICTS, RECEIPTS)


def _keys_of(kind: Kind[Any], folder: Path) -> KeyTable:
    table = KeyTable()
    for record in kind.read(folder):
        table.put(kind.key(record))
    return table


def _lock(folder: Path) -> Any:
    """Held until closed or until this process ends, however it ends."""
    handle = (folder / ".lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise ReverieError(
            f"{folder}: another process is writing this run; wait for it, or choose another folder"
        ) from None
    return handle
