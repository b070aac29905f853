"""`metrics.jsonl`: one line per logged interval and per validation, and the progress that a person sees."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reverie.checkpoints.folder import write_atomically

FILE = "metrics.jsonl"


class Journal:
    """Lines after `step` are dropped first: a resumed training writes them again."""

    def __init__(self, folder: Path, step: int) -> None:
        self.file = folder / FILE
        kept = [line for line in _lines(self.file) if line["step"] <= step]
        write_atomically(self.file, "".join(json.dumps(line) + "\n" for line in kept).encode())

    def write(self, line: Mapping[str, Any]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _lines(file: Path) -> list[dict[str, Any]]:
    """Complete lines; the last one may have been cut off by a kill."""
    found = []
    for line in file.read_text().splitlines() if file.is_file() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


class Screen:
    """A progress bar with the remaining time on a terminal, a line per report elsewhere, nothing when `quiet`."""

    def __init__(self, samples: int, done: int, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        columns = (BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} samples"), TimeRemainingColumn(), TextColumn("{task.description}"))  # fmt: skip
        self.bar = Progress(*columns, console=self.console, disable=quiet or not sys.stderr.isatty(), speed_estimate_period=120)  # fmt: skip
        self.task = self.bar.add_task("", total=samples, completed=done)

    def __enter__(self) -> "Screen":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, samples: int, text: str) -> None:
        self.bar.update(self.task, completed=samples, description=text)

    def say(self, text: str) -> None:
        self.console.print(text)


def spoken(metrics: Mapping[str, float]) -> str:
    """One line per set of validation rows."""
    sets: dict[str, list[str]] = {}
    for name, value in metrics.items():
        kind, _, what = name.rpartition("/")
        sets.setdefault(kind, []).append(f"{what} {value:.3g}")
    return "".join(f"\n    {kind or 'all'}: {', '.join(parts)}" for kind, parts in sets.items())


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
