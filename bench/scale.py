"""Does memory grow with the number of trials, and what does a second process bring? Synthetic trials over the fakes.

    python bench/scale.py [--trials 10000 100000] [--throughput 10000] [--work evaluate report]

Every size is evaluated, judged again, merged, exported and reported by a process of its own, whose peak resident memory is read after each
of these; the number of scenes and policies stays, replicates grow. Then the same plan with one process and with two.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from record import number, write


@dataclass(frozen=True)
class Options:
    trials: tuple[int, ...] = (10_000, 100_000)
    """Numbers of trials at which memory is read."""
    work: tuple[str, ...] = ("evaluate", "judge", "summarise", "merge", "export", "report")
    """What is done with them, in this order."""
    throughput: int = 10_000
    """Trials that are timed with one process and with two; 0: none."""
    steps: int = 6
    """Control steps of each trial."""


def side(n_trials: int, processes: int, options: Options, *wanted: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        numbers = [str(n) for n in (n_trials, options.steps, processes)]
        command = [sys.executable, str(Path(__file__).with_name("scale_side.py")), folder, *numbers, *wanted]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def memory(n_trials: int, options: Options) -> dict[str, Any]:
    found = side(n_trials, 1, options, *options.work)
    n = found["trials"]
    values = {
        name: {
            "peak": number(found[name]["peak_mib"], "MiB", n=n),
            "seconds": number(found[name]["seconds"], "s", n=n),
            "cpu": number(found[name]["cpu_seconds"], "s", n=n),
        }
        for name in options.work
    }
    sizes = {"report": "report.html", "rows": "trials.parquet", "journal": "trials.jsonl"}
    return values | {k: number(found["megabytes"][f], "MB", n=n) for k, f in sizes.items() if f in found["megabytes"]}


def throughput(processes: int, options: Options) -> dict[str, Any]:
    found = side(options.throughput, processes, options, "evaluate")
    n = found["trials"]
    return {
        "trials_per_second": number(n / found["evaluate"]["seconds"], "1/s", n=n),
        "peak": number(found["evaluate"]["peak_mib"], "MiB", n=n),
        "worker_peak": number(found["worker_mib"], "MiB", n=n),
    }


def main() -> None:
    options = tyro.cli(Options)
    values: dict[str, Any] = {f"trials_{n}": memory(n, options) for n in options.trials}
    if options.throughput:
        values |= {f"processes_{p}": throughput(p, options) for p in (1, 2)}
    write("scale", values)


if __name__ == "__main__":
    main()
