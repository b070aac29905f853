"""Anyone's table of real and predicted success rates, read from CSV: columns task, policy, real, predicted, optional n.

The door for numbers that this program did not make: every bad row is one error that names the file and the line. Lines
that begin with # are comments. Knows nothing of what the rates mean together.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reverie.core import ReverieError

REQUIRED = ("task", "policy", "real", "predicted")
RATES = ("real", "predicted")
KNOWN = (*REQUIRED, "n", "n_predicted", "rounding")
Line = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class RateRow:
    """One cell: real and predicted success rate in [0, 1], and the trials behind each where they are known. rounding: how
    far a rate may be from the one that was rounded to it."""

    task: str
    policy: str
    real: float
    predicted: float
    n: int | None = None
    n_predicted: int | None = None
    line: int = 0
    rounding: float = 0.0


def read_rates(path: Path) -> tuple[RateRow, ...]:
    """The rows in order; rates as fractions. `n` counts real trials, `n_predicted` predicted ones (as many, unless given);
    `rounding` is how far off rates may be (half of the last digit, unless given: figures are read less exactly).

    Rates may all be percents: then some value is above 1 and none lies between 0 and 1. A file that leaves this open
    is refused. Raises ReverieError naming the file and the line.
    """
    lines = list(read_lines(path, REQUIRED, KNOWN))
    if not lines:
        raise ReverieError(f"{path}: found no rows below the header; give one row per task and policy")
    scale = _scale(path, lines)
    rounding = 0.5 * 10.0 ** -max(_decimals(fields[name]) for _, fields in lines for name in RATES) / scale
    rows = tuple(_row(path, number, fields, scale, rounding) for number, fields in lines)
    _refuse_twice(path, rows)
    for field in ("n", "n_predicted"):
        with_n = [row.line for row in rows if getattr(row, field) is not None]
        missing = next((row.line for row in rows if getattr(row, field) is None), None)
        if with_n and missing:
            raise ReverieError(
                f"{path}, line {missing}: {field} is empty, line {with_n[0]} has one; give it everywhere, or leave the column out"
            )
    return rows


def read_lines(path: Path, required: Sequence[str], known: Sequence[str]) -> Iterator[Line]:
    """Line numbers and stripped fields by column name. Raises ReverieError for a header without the required columns,
    rows with too few or too many fields, and empty required fields."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ReverieError(f"{path}: not a text file in UTF-8; export the table as CSV") from None
    reader = csv.reader(text.splitlines())
    rows = ((reader.line_num, row) for row in reader if row and not row[0].lstrip().startswith("#") and any(row))
    header_line, header = next(rows, (1, []))
    names = [name.strip().lower() for name in header]
    if missing := [name for name in required if name not in names]:
        raise ReverieError(
            f"{path}, line {header_line}: found columns {', '.join(names) or 'none'}, missing {', '.join(missing)}; "
            f"expected a header with {', '.join(required)} (and, optionally, {', '.join(k for k in known if k not in required)})"
        )
    if twice := [name for name in known if names.count(name) > 1]:
        raise ReverieError(f"{path}, line {header_line}: two columns are named {twice[0]}; rename one")
    for number, row in rows:
        if len(row) != len(names):
            raise ReverieError(f"{path}, line {number}: found {len(row)} fields, the header has {len(names)}")
        fields = {name: value.strip() for name, value in zip(names, row, strict=True)}
        if empty := next((name for name in required if not fields[name]), None):
            raise ReverieError(f"{path}, line {number}: {empty} is empty; give it, or delete the row")
        yield number, fields


def whole_number(path: Path, line: int, name: str, text: str, minimum: int) -> int:
    """A count of at least `minimum`, or an error that names the line."""
    if not text.isascii() or not text.lstrip("-").isdigit() or int(text) < minimum:
        raise ReverieError(f"{path}, line {line}: {name} is {text!r}, expected a whole number of at least {minimum}")
    return int(text)


def _row(path: Path, line: int, fields: Mapping[str, str], scale: float, rounding: float) -> RateRow:
    n, n_predicted = (
        whole_number(path, line, name, fields[name], 1) if fields.get(name) else None for name in ("n", "n_predicted")
    )
    real, predicted = (_number(path, line, name, fields[name]) / scale for name in RATES)
    if fields.get("rounding"):
        rounding = abs(_number(path, line, "rounding", fields["rounding"])) / scale
    return RateRow(fields["task"], fields["policy"], real, predicted, n, n_predicted or n, line, rounding)


def _scale(path: Path, lines: Sequence[Line]) -> float:
    """1 for fractions, 100 for percents; refused where both could be meant."""
    values = {name: [(number, _number(path, number, name, fields[name])) for number, fields in lines] for name in RATES}
    everything = [(name, number, v) for name, column in values.items() for number, v in column]
    for name, number, v in everything:
        if v < 0 or v > 100:
            raise ReverieError(
                f"{path}, line {number}: {name} is {v:g}, expected a rate in [0, 1] (or 0 to 100 percent)"
            )
    above = next(((name, number, v) for name, number, v in everything if v > 1), None)
    if above is None:
        return 1.0
    small = next(((name, number, v) for name, number, v in everything if 0 < v < 1), None)
    unsure = next((name for name in RATES if max(v for _, v in values[name]) == 1), None)
    if small or unsure:
        beside = f"line {small[1]} has {small[0]} {small[2]:g}" if small else f"no {unsure} rate is above 1"
        raise ReverieError(
            f"{path}, line {above[1]}: {above[0]} is {above[2]:g}, outside [0, 1], while {beside}; "
            "give all rates as fractions, or all as percents"
        )
    return 100.0


def _decimals(text: str) -> int:
    """Digits behind the point; many for a number in another notation."""
    whole, point, digits = text.partition(".")
    return len(digits) if point and digits.isdigit() else 0 if whole.lstrip("+-").isdigit() else 15


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReverieError(
            f"{path}, line {line}: {name} is {text!r}, expected a number; leave out what was not measured"
        )
    return value


def _refuse_twice(path: Path, rows: Sequence[RateRow]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        first = seen.setdefault((row.task, row.policy), row.line)
        if first != row.line:
            raise ReverieError(
                f"{path}, lines {first} and {row.line}: two rows for policy {row.policy!r} in task {row.task!r}; "
                "keep one, or tell their tasks apart"
            )
