"""`metrics.jsonl`: one line per logged interval and per validation, and the progress that a person sees."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from reverie.checkpoints.folder import write_atomically
from reverie.training.board import Board

FILE = "metrics.jsonl"
EVERY_S = 60.0


class Journal:
    """Lines after `step` are dropped first: a resumed training writes them again. Only the first process of a team writes
    (`active`). tensorboard: the same numbers for it."""

    def __init__(self, folder: Path, step: int, tensorboard: bool = False, active: bool = True) -> None:
        self.file, self.active, self.board = folder / FILE, active, None
        if not active:
            return
        kept = [line for line in _lines(self.file) if line["step"] <= step]
        write_atomically(self.file, "".join(json.dumps(line) + "\n" for line in kept).encode())
        if tensorboard:
            self.board = Board(folder, kept)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.board is not None:
            self.board.close()

    def write(self, line: Mapping[str, Any]) -> None:
        if not self.active:
            return
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        if self.board is not None:
            self.board.add(line)


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
    """A progress bar on a terminal; elsewhere a line per report, and one a minute in between; nothing when `quiet`."""

    def __init__(self, samples: int, done: int, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        columns = (BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} samples"), TextColumn("{task.description}"))  # fmt: skip
        self.bar = Progress(*columns, console=self.console, disable=quiet or not sys.stderr.isatty())
        self.task = self.bar.add_task("", total=samples, completed=done)
        self.told = time.monotonic()

    def __enter__(self) -> "Screen":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, samples: int, text: str) -> None:
        self.bar.update(self.task, completed=samples, description=text)
        if self.bar.disable and time.monotonic() - self.told > EVERY_S:
            self.say(f"{samples:>9,}  {text}")

    def say(self, text: str) -> None:
        self.told = time.monotonic()
        self.console.print(text)
