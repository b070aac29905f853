"""What a newcomer waits for: the demo, once everything is installed.

    python bench/demo.py

Runs `reverie demo` in a fresh folder, on two cores where the system can be told so.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from record import number, write
from reverie.evaluation.summary import summarise
from reverie.report.page import FILE as REPORT

CORES = 2


@dataclass(frozen=True)
class Options:
    scenes: str = "test:16"
    """As of `reverie demo`."""


def use_cores(n: int) -> int:
    """This process and those that it starts run on the first n cores; returns how many that are."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])
    return len(os.sched_getaffinity(0))


def main() -> None:
    options, cores = tyro.cli(Options), use_cores(CORES)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        command = [sys.executable, "-m", "reverie.cli.main", "demo", "--out", str(out), "--scenes", options.scenes]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        minutes = (time.perf_counter() - start) / 60
        trials, size = summarise(out).n_trials, (out / REPORT).stat().st_size
    write(
        "demo",
        {
            "minutes": number(minutes, f"min on {cores} cores", cores=cores),
            "trials": number(trials, "trials"),
            "report": number(size / 1e6, "MB"),
        },
    )


if __name__ == "__main__":
    main()
