"""kill -9 at random moments, then the same command again: does a run end with the journals of one that was left alone?

    python bench/kills.py [--fakes 190] [--real 10]

Victims are drivers, alone or with two workers, and workers, whose driver goes on by itself. A run is killed up to ten times and
then left to finish; then its journals are compared with those of the uninterrupted run, line by line but for timings, and the next begins.
A kill counts only where its victim was at work.
"""

import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
import tyro

from record import number, write
from reverie.core import ReverieError
from reverie.evaluation import Request, evaluate, make_plan
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, differences

KILLS_A_RUN = 10
FAKES = Request(
    policies=("fake:ReachPolicy?skill=0.9&name=good", "fake:RandomPolicy"),
    worlds=("fake:FakeWorld?name=true&noise=0.01", "fake:FakeWorld?name=dream&noise=0.02&measures=False"),
    scenes=("fake:30",),
    judges=("fake:FakeJudge", "fake:RecordedOutcomeJudge"),
    n_steps=30,
    truth=("fake:FakeWorld?name=true&noise=0.01", "fake:RecordedOutcomeJudge"),
    block_size=3,
)
REAL = Request(
    policies=("shipped:vla-d", "classical"),
    worlds=("physics", "video:shipped"),
    scenes=("test:6+300",),
    judges=("physics", "shipped:frames"),
    n_steps=20,
    truth=("physics", "physics"),
    block_size=2,
)


@dataclass(frozen=True)
class Options:
    fakes: int = 190
    """Kills over the toy worlds."""
    real: int = 10
    """Kills over physics and the shipped video world."""
    seed: int = 0


@dataclass
class Found:
    """victims: kills that hit somebody at work, by kind. runs: finished after at least one. differing: records that are not
    those of the uninterrupted run; repeated: lines beyond one per record; files: clips and episodes too many or missing."""

    victims: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    trials: int = 0
    differing: int = 0
    repeated: int = 0
    files: int = 0


def experiment(request: Request, kills: int, seed: int, patience_s: float, folder: Path) -> Found:
    """patience_s: the longest that a victim may go on after the journal has grown by a random number of lines."""
    plan, found, draw = make_plan(request), Found(), random.Random(seed)
    evaluate(plan, folder / "whole")
    found.trials = n_lines(folder / "whole", TRIALS.file)
    while found.victims.total() < kills:
        killed, until = folder / f"killed-{found.runs}", min(kills, found.victims.total() + KILLS_A_RUN)
        while not killed_once(request, killed, draw, patience_s, found, until):
            pass
        compare(folder / "whole", killed, found)
        found.runs += 1
    return found


def killed_once(request: Request, folder: Path, draw: random.Random, patience_s: float, found: Found, until: int) -> bool:  # fmt: skip
    """One start of the command, and random kills until it is dead or done; True if it finished."""
    processes = draw.choice((1, 1, 1, 2))
    with started(request, folder, processes) as driver:
        while driver.is_alive() and found.victims.total() < until:
            wait_for_work(folder, driver, draw, patience_s)
            whom = draw.choice(("driver", "worker", "worker")) if processes > 1 else "driver"
            found.victims[whom] += kill(driver, whom, draw)
        driver.join()
        return driver.exitcode == 0


@contextmanager
def started(request: Request, folder: Path, processes: int) -> Iterator[BaseProcess]:
    """Forked, since loading the program again would take most of the time; its own workers are spawned as ever."""
    driver = multiprocessing.get_context("fork").Process(target=drive, args=(request, folder, processes))
    driver.start()
    yield driver
    driver.close()


def drive(request: Request, folder: Path, processes: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # what a dead worker's relatives say
    evaluate(make_plan(request), folder, processes)


def wait_for_work(folder: Path, driver: BaseProcess, draw: random.Random, patience_s: float) -> None:
    wanted = n_lines(folder, TRIALS.file) + draw.randrange(0, 20)
    until = time.monotonic() + 20 * patience_s
    while n_lines(folder, TRIALS.file) < wanted and driver.is_alive() and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(draw.uniform(0, patience_s))


def kill(driver: BaseProcess, whom: str, draw: random.Random) -> int:
    """How many were killed: 0 where the victim was gone already."""
    victims = [driver.pid] if whom == "driver" else workers_of(driver)
    if not driver.is_alive() or not victims:
        return 0
    try:
        os.kill(draw.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def workers_of(driver: BaseProcess) -> list[int]:
    try:
        children = psutil.Process(driver.pid).children()
        return [c.pid for c in children if any("spawn_main" in part for part in c.cmdline())]
    except psutil.Error:  # somebody ended meanwhile
        return []


def n_lines(folder: Path, name: str) -> int:
    path = folder / name
    return path.read_bytes().count(b"\n") if path.exists() else 0


def compare(whole: Path, killed: Path, found: Found) -> None:
    found.differing += len(differences(whole, killed))
    found.repeated += sum(
        n_lines(killed, kind.file) - sum(1 for _ in kind.read(killed)) for kind in (TRIALS, VERDICTS, RECEIPTS)
    )
    left, right = ({str(p.relative_to(f)) for p in f.rglob("*.*") if p.suffix in (".mp4", ".npz") and not p.name.startswith(".")} for f in (whole, killed))  # fmt: skip
    found.files += len(left ^ right)


def described(found: Found) -> dict[str, Any]:
    wrong = {k: getattr(found, k) for k in ("differing", "repeated", "files")}
    if any(wrong.values()):
        raise ReverieError(f"killed runs are not as the uninterrupted one: {wrong}")
    kills = found.victims.total()
    return {
        "kills": number(kills, "kills"),
        **{f"{whom}s": number(n, "kills") for whom, n in sorted(found.victims.items())},
        "runs": number(found.runs, "runs"),
        "trials_per_run": number(found.trials, "trials"),
        **{k: number(v, n=found.runs) for k, v in wrong.items()},
    }


def main() -> None:
    options = tyro.cli(Options)
    for name, request, kills, patience_s in (("fakes", FAKES, options.fakes, 0.05), ("real", REAL, options.real, 3.0)):
        if kills:
            with tempfile.TemporaryDirectory() as folder:
                found = described(experiment(request, kills, options.seed, patience_s, Path(folder)))
            write(f"kills_{name}", found)


if __name__ == "__main__":
    main()
