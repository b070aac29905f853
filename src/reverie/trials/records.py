"""The three kinds of records of a run, to and from JSON, each with a key: trials, verdicts, receipts."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from reverie.core import ReverieError, Trial, TrialKey, Verdict, content_hash
from reverie.trials import lines
from reverie.trials.key_table import KeyTable

Record = TypeVar("Record")


@dataclass(frozen=True)
class TrialVerdict:
    """One line of `verdicts.jsonl`: what a judge, at one version, says of one trial."""

    key: TrialKey
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        return {"key": asdict(self.key), "verdict": self.verdict.to_dict()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "TrialVerdict":
        return cls(TrialKey(**value["key"]), Verdict.from_dict(value["verdict"]))


@dataclass(frozen=True)
class Receipt:
    """Under which conditions trials ran: versions, hashes, device, threads, block size. `id` is its content's hash."""

    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        return content_hash(dict(self.content))

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, **self.content}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Receipt":
        return cls({k: v for k, v in value.items() if k != "id"})


@dataclass(frozen=True)
class Kind(Generic[Record]):
    """One file of a run: its name, how a line becomes a record, what identifies it, which fields are only timing."""

    file: str
    parse: Callable[[dict[str, Any]], Record]
    key: Callable[[Record], Hashable]
    timing: tuple[str, ...] = ()

    def read(self, folder: Path) -> Iterator[Record]:
        """The records of a run, one at a time. A repeated line is read once; two that disagree are an error."""
        for _, record in self.read_placed(folder):
            yield record

    def read_placed(self, folder: Path) -> Iterator[tuple[int, Record]]:
        """The same, each with the byte at which its line begins."""
        path = folder / self.file
        with KeyTable() as seen:
            for line in lines.read(path):
                record = self._parse(line, path)
                digest = content_hash(self.without_timing(line.record))
                before = seen.put(self.key(record), f"{line.number} {digest}")
                if before is None:
                    yield line.start, record
                elif before.split()[1] != digest:
                    raise ReverieError(
                        f"{path}, lines {before.split()[0]} and {line.number}: two different records of {self.key(record)}"
                    )

    def at(self, folder: Path, start: int) -> Record:
        """The record whose line begins at this byte."""
        path = folder / self.file
        return self._parse(lines.read_at(path, start), path)

    def without_timing(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in raw.items() if k not in self.timing}

    def _parse(self, line: lines.Line, path: Path) -> Record:
        try:
            return self.parse(line.record)
        except (TypeError, KeyError) as error:
            raise ReverieError(f"{path}, line {line.number}: not a record of this kind ({error!r})") from None


TRIALS = Kind("trials.jsonl", Trial.from_dict, lambda t: t.key, timing=("seconds",))
VERDICTS = Kind("verdicts.jsonl", TrialVerdict.from_dict, lambda v: (v.key, v.verdict.judge, v.verdict.judge_version))
RECEIPTS = Kind("receipts.jsonl", Receipt.from_dict, lambda r: r.id)
