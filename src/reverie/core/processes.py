"""Jobs over workers: the one way in which caches, collection and evaluation give work out. It knows nothing about what a
job is.

`computed` gives jobs out and takes results in; `Workers` is the seam behind which somebody computes them. `Processes` is
one such somebody, on this machine: its workers end with the process that started them, however that went (its end of a
pipe closes), so that none is left to write beside a command that was given again. An error or Ctrl-C ends the workers at
once: everything they write appears whole or not at all.
"""

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any, Generic, Protocol, TypeVar

from reverie.core.errors import ReverieError

Job = TypeVar("Job")
Result = TypeVar("Result")
JobIn = TypeVar("JobIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
MAX_DEATHS = 5
"""A job whose workers died more often than this is not given out again: it is the likely cause."""


@dataclass(frozen=True)
class Computed(Generic[ResultOut]):
    """A job's result, by the number under which it was submitted."""

    number: int
    result: ResultOut


@dataclass(frozen=True)
class Lost:
    """Jobs that nobody computes any more, because their worker died. They are submitted again."""

    numbers: tuple[int, ...]


class Workers(Protocol[JobIn, ResultOut]):
    """Whoever computes jobs: processes here, a cluster elsewhere.

    A job that was submitted is reported exactly once, as Computed or as Lost; Lost jobs may have left files behind, which
    computing them again replaces. One thread calls.
    """

    @property
    def capacity(self) -> int:
        """How many jobs it takes before one is reported: a few ahead, so that no worker waits."""
        ...

    def submit(self, number: int, job: JobIn) -> None:
        """Returns at once. It may not fail because a worker has died: that is reported by `wait`."""
        ...

    def wait(self) -> Sequence[Computed[ResultOut] | Lost]:
        """Block until at least one submitted job is reported. An error that a job raised is raised here."""
        ...

    def close(self) -> None:
        """End the workers, also in the middle of their jobs."""
        ...


def computed(workers: Workers[Job, Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """The result of every job, as they come; only jobs that are with the workers are held.

    submit jobs up to the workers' capacity
    of what they report: hand results on; submit again what was lost
    """
    coming, held, deaths = enumerate(jobs), dict[int, Job](), Counter[int]()
    while True:
        while len(held) < workers.capacity and (following := next(coming, None)) is not None:
            held[following[0]] = following[1]
            workers.submit(*following)
        if not held:
            return
        for report in workers.wait():
            if isinstance(report, Lost):
                deaths.update(report.numbers)
                _check_deaths(deaths, len(held))
                for number in report.numbers:
                    workers.submit(number, held[number])
            else:
                del held[report.number], deaths[report.number]
                yield report.result


def _check_deaths(deaths: Counter[int], at_work: int) -> None:
    most = max(deaths.values())
    if most > MAX_DEATHS:
        raise ReverieError(
            f"workers died {most} times over the same block (out of memory?); {at_work} were at work. "
            "Run the same command again with fewer processes or a smaller block"
        )


def check_processes(processes: int) -> None:
    if processes < 1:
        raise ReverieError(f"processes is {processes}: it must be >= 1")


def in_processes(
    processes: int, run: Callable[[Job], Result], jobs: Iterable[Job], start: Callable[..., None], *arguments: Any
) -> Iterator[Result]:
    """`run(job)` of every job over processes of this machine, results as they come.

    start(*arguments) is called once in every process, before its first job; it may not raise.
    """
    with closing(Processes(processes, run, start, arguments)) as workers:
        yield from computed(workers, jobs)


@dataclass
class Processes(Generic[Job, Result]):
    """Workers of this machine. When one dies, all are started anew: what they had begun is lost."""

    processes: int
    run: Callable[[Job], Result]
    start: Callable[..., None]
    arguments: tuple[Any, ...]
    _pool: "_Pool | None" = None
    _running: dict[Future[Result], int] = field(default_factory=dict)

    @property
    def capacity(self) -> int:
        return 2 * self.processes

    def submit(self, number: int, job: Job) -> None:
        self._pool = self._pool or _Pool(self.processes, self.start, self.arguments)
        self._running[self._pool.submit(self.run, job)] = number

    def wait(self) -> list[Computed[Result] | Lost]:
        ended = wait(self._running, return_when=FIRST_COMPLETED).done
        finished = [f for f in ended if f.exception() is None]
        if finished:  # first: an error among the others stops everything
            return [Computed(self._running.pop(f), f.result()) for f in finished]
        error = ended.pop().exception()
        if error is not None and not isinstance(error, BrokenProcessPool):
            raise error
        lost = Lost(tuple(sorted(self._running.values())))
        self._running.clear()
        self.close()
        return [lost]

    def close(self) -> None:
        if self._pool:
            self._pool.end(idle=not self._running)
        self._pool = None


class _Pool:
    """Processes that were started together, and the pipe whose end tells them to stop."""

    def __init__(self, processes: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        spawn = multiprocessing.get_context("spawn")  # a graphics context or threads do not survive a fork
        self._ended, self._lifeline = spawn.Pipe(duplex=False)
        initargs = (self._ended, start, arguments)
        self._executor = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin, initargs=initargs)

    def submit(self, run: Callable[[Job], Result], job: Job) -> Future[Result]:
        try:
            return self._executor.submit(run, job)
        except BrokenProcessPool as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def end(self, idle: bool) -> None:
        """Idle workers end by themselves; those at work are ended."""
        if idle:
            self._executor.shutdown()
        self._lifeline.close()
        self._executor.shutdown(cancel_futures=True)
        self._ended.close()


def _begin(ended: Connection, start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the first one decides
    threading.Thread(target=_end_with, args=(ended,), daemon=True).start()
    start(*arguments)


def _end_with(ended: Connection) -> None:
    wait_for([ended])
    os._exit(1)
