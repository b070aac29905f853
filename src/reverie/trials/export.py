"""A run as one table, Parquet or CSV: a line per trial and verdict, with everything that the records hold.

A trial that several judges saw has several lines; one that nobody judged has one, without a judge. `read_export` gives the
same records back. What is nested (harm, info, the receipt's content) is JSON in one column; what is absent is null, an empty
cell in CSV. The content of a receipt stands in the first line that has it.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reverie.core import ReverieError, Trial, TrialKey, Verdict, outcome_of
from reverie.core.files import write_whole
from reverie.trials.index import Records
from reverie.trials.records import RECEIPTS, Receipt, TrialVerdict

ROWS_AT_ONCE = 5000
TEXT, NUMBER = pa.string(), pa.float64()
KEY = {"policy": TEXT, "world": TEXT, "scene": TEXT, "edit": TEXT, "replicate": pa.int64()}
TRIAL = {
    "instruction": TEXT, "n_steps": pa.int64(), "receipt": TEXT, "actions_digest": TEXT, "clip": TEXT, "error": TEXT,
    "refused": TEXT, "seconds": NUMBER, "info": TEXT,
}  # fmt: skip
VERDICT = {
    "judge": TEXT, "judge_version": TEXT, "success": pa.bool_(), "success_time_s": NUMBER, "probability": NUMBER,
    "progress": NUMBER, "harm": TEXT, "reason": TEXT,
}  # fmt: skip
COLUMNS: Mapping[str, pa.DataType] = {**KEY, **TRIAL, **VERDICT, "outcome": TEXT, "receipt_content": TEXT}
NESTED = ("info", "harm")
NEVER_NULL = ("instruction", "actions_digest", "reason")
"""Texts that may be empty: in CSV an empty cell of these is no null."""
SCHEMA = pa.schema(list(COLUMNS.items()))
Row = dict[str, Any]


def export(folder: Path, path: Path) -> int:
    """Write the table of a run; returns how many lines it has. The ending of `path` says which kind."""
    write = _kind(path)
    n = 0

    def counted() -> Iterator[Row]:
        nonlocal n
        for row in rows(folder):
            n += 1
            yield row

    write_whole(path, lambda temporary: write(temporary, counted()))
    return n


def rows(folder: Path) -> Iterator[Row]:
    """The lines of the table, one at a time."""
    contents = {r.id: json.dumps(r.content, sort_keys=True) for r in RECEIPTS.read(folder)}
    with Records(folder) as records:
        for trial, verdicts in records:
            about = asdict(trial.key) | {name: getattr(trial, name) for name in TRIAL}
            said_of: Sequence[Verdict | None] = verdicts or [None]
            for verdict in said_of:
                said = {name: getattr(verdict, name, None) for name in VERDICT}
                more = {
                    "outcome": str(outcome_of(trial, verdict)),
                    "receipt_content": contents.pop(trial.receipt, None),
                }
                yield _plain(about | said | more)


def _plain(row: Row) -> Row:
    return row | {name: json.dumps(row[name], sort_keys=True) for name in NESTED if row[name] is not None}


def _write_parquet(path: Path, lines: Iterator[Row]) -> None:
    with pq.ParquetWriter(path, SCHEMA) as writer:
        while taken := list(islice(lines, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(taken, schema=SCHEMA))


def _write_csv(path: Path, lines: Iterator[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(COLUMNS))
        writer.writeheader()
        writer.writerows(lines)


WRITERS = {".parquet": _write_parquet, ".csv": _write_csv}


def _kind(path: Path) -> Any:
    if path.suffix not in WRITERS:
        raise ReverieError(f"{path}: ends in {path.suffix!r}, expected one of {', '.join(WRITERS)}")
    return WRITERS[path.suffix]


def read_export(path: Path) -> Iterator[tuple[Trial, TrialVerdict | None, Receipt | None]]:
    """The records of every line; a trial with several verdicts comes once with each."""
    _kind(path)
    for row in _read_csv(path) if path.suffix == ".csv" else _read_parquet(path):
        row |= {name: json.loads(row[name]) for name in (*NESTED, "receipt_content") if row[name] is not None}
        key = TrialKey(**{name: row[name] for name in KEY})
        trial = Trial(key, **{name: row[name] for name in TRIAL})
        receipt = Receipt(row["receipt_content"]) if row["receipt_content"] is not None else None
        yield trial, _verdict(key, row), receipt


def _verdict(key: TrialKey, row: Row) -> TrialVerdict | None:
    if row["judge"] is None:
        return None
    return TrialVerdict(key, Verdict.from_dict({name: row[name] for name in VERDICT}))


def _read_parquet(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _read_csv(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: _value(name, text) for name, text in row.items()}


def _value(name: str, text: str) -> Any:
    if text == "":
        return "" if name in NEVER_NULL else None
    kind = COLUMNS[name]
    if pa.types.is_boolean(kind):
        return text == "True"
    if pa.types.is_integer(kind):
        return int(text)
    return float(text) if pa.types.is_floating(kind) else text
