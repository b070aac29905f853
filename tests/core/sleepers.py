"""A pool over slow jobs, as a program of its own: python sleepers.py FOLDER. Every job that begins leaves its process's
number in FOLDER."""

import os
import signal
import sys
import time
from pathlib import Path

from reverie.core.processes import in_processes


def start(folder: Path) -> None:
    global place
    place = folder


def sleep(job: int) -> int:
    (place / f"{job}.{os.getpid()}").touch()
    time.sleep(60)
    return job


def die_once(job: int) -> int:
    if job == 3 and not (place / "died").exists():
        (place / "died").touch()
        os._exit(9)
    return job


def die(job: int) -> int:
    os._exit(9)


def fail(job: int) -> int:
    if job == 0:
        raise ValueError("job 0 is bad")
    return sleep(job)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
    try:
        list(in_processes(2, sleep, range(8), start, Path(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(130)
