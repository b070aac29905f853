"""Index: records by key, read from a run's files when they are asked for; of each only its place is kept."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from reverie.core import Trial, TrialKey, Verdict
from reverie.trials.key_table import KeyTable
from reverie.trials.records import TRIALS, VERDICTS, Kind

Record = TypeVar("Record")


class Index(Generic[Record]):
    """`with Index(TRIALS, folder) as trials: trials.get(key)`."""

    def __init__(self, kind: Kind[Record], folder: Path) -> None:
        self._kind, self._folder, self._places = kind, folder, KeyTable()
        for start, record in kind.read_placed(folder):
            self._places.put(kind.key(record), str(start))

    def __enter__(self) -> "Index[Record]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.close()

    def get(self, key: Any) -> Record | None:
        """The record of a key; None where there is none."""
        place = self._places.get(key)
        return None if place is None else self._kind.at(self._folder, int(place))


class Records:
    """The trials of a run and what every judge says of them, by key. judges: (name, version) of all that said something."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.judges = list(dict.fromkeys((r.verdict.judge, r.verdict.judge_version) for r in VERDICTS.read(folder)))
        self._open = ExitStack()
        self._trials = self._open.enter_context(Index(TRIALS, folder))
        self._verdicts = self._open.enter_context(Index(VERDICTS, folder))

    def __enter__(self) -> "Records":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[tuple[Trial, list[Verdict]]]:
        """Every trial in the order of its line, with its verdicts."""
        return ((trial, self.verdicts(trial.key)) for trial in TRIALS.read(self.folder))

    def trial(self, key: TrialKey) -> Trial | None:
        return self._trials.get(key)

    def verdicts(self, key: TrialKey) -> list[Verdict]:
        found = (self._verdicts.get((key, *judge)) for judge in self.judges)
        return [record.verdict for record in found if record is not None]
