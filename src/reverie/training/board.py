"""What TensorBoard reads, made from the lines of `metrics.jsonl`: they are the truth, this is a view of them.

A resumed training writes it anew from the lines that are kept, so no step is there twice.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = "tensorboard"
_HEAD = ("step", "samples", "phase", "seconds")


class Board:
    """Scalars `<phase>/<metric>` over samples, in `<out>/tensorboard`."""

    def __init__(self, out: Path, lines: Iterable[Mapping[str, Any]]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(out / FOLDER, ignore_errors=True)
        self.writer = SummaryWriter(str(out / FOLDER))
        for line in lines:
            self.add(line)

    def add(self, line: Mapping[str, Any]) -> None:
        for name, value in line.items():
            if name not in _HEAD:
                self.writer.add_scalar(f"{line['phase']}/{name}", value, line["samples"])

    def close(self) -> None:
        self.writer.close()
