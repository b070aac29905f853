"""Jobs over several processes: the one pool of frame caches, collection and evaluation. It knows nothing about what a job is.

Workers end with the process that started them, however that went (its end of a pipe closes), so that none is left to
write beside a command that was given again. The jobs of a worker that dies are given out again. An error or Ctrl-C ends
the workers at once: everything they write appears whole or not at all.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeVar

from reverie.core.errors import ReverieError

Job = TypeVar("Job")
Result = TypeVar("Result")
MAX_DEATHS = 5


def check_processes(processes: int) -> None:
    if processes < 1:
        raise ReverieError(f"processes is {processes}: it must be >= 1")


def in_processes(
    processes: int, run: Callable[[Job], Result], jobs: Sequence[Job], start: Callable[..., None], *arguments: Any
) -> Iterator[Result]:
    """`run(job)` of every job, results as they come.

    start(*arguments) is called once in every process, before its first job; it may not raise.
    """
    waiting, deaths = dict(enumerate(jobs)), 0
    while waiting:
        try:
            for number, result in _one_pool(processes, run, dict(waiting), start, arguments):
                del waiting[number]
                yield result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths > MAX_DEATHS:
                raise ReverieError(
                    f"workers died {deaths} times (out of memory?); {len(waiting)} blocks are left. "
                    "Run the same command again with fewer processes or a smaller block"
                ) from error


def _one_pool(
    processes: int,
    run: Callable[[Job], Result],
    jobs: Mapping[int, Job],
    start: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[tuple[int, Result]]:
    """Hand out a few jobs ahead, in order."""
    spawn = multiprocessing.get_context("spawn")  # a graphics context or threads do not survive a fork
    ended, lifeline = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin, initargs=(ended, start, arguments))
    running: dict[Future[Result], int] = {}
    queue = iter(jobs.items())
    try:
        while True:
            while len(running) < 2 * processes and (job := next(queue, None)) is not None:
                running[pool.submit(run, job[1])] = job[0]
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
        pool.shutdown()
    finally:
        lifeline.close()
        pool.shutdown(cancel_futures=True)
        ended.close()


def _begin(ended: Connection, start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the first one decides
    threading.Thread(target=_end_with, args=(ended,), daemon=True).start()
    start(*arguments)


def _end_with(ended: Connection) -> None:
    wait_for([ended])
    os._exit(1)
