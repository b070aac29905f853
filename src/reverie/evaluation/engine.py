"""The engine: blocks in, results out, over one process or several. Another engine (a cluster) is one more such function."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from reverie.core import ReverieError
from reverie.evaluation.blocks import Block
from reverie.evaluation.plan import Plan
from reverie.evaluation.receipts import limit_threads
from reverie.evaluation.worker import Bench, BlockResult, run_in_process, start_process

Engine = Callable[[Plan, Path, Sequence[Block]], Iterator[BlockResult]]
MAX_DEATHS = 5


def in_this_process(plan: Plan, folder: Path, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    limit_threads(plan.threads)
    bench = Bench(plan, folder)
    try:
        for block in blocks:
            yield bench.run(block)
    finally:
        bench.close()


def in_processes(processes: int) -> Engine:
    """Spawned workers; the blocks of one that dies are given out again."""

    def engine(plan: Plan, folder: Path, blocks: Sequence[Block]) -> Iterator[BlockResult]:
        waiting, deaths = {b.id: b for b in blocks}, 0
        while waiting:
            try:
                for result in _one_pool(processes, plan, folder, list(waiting.values())):
                    del waiting[result.block_id]
                    yield result
            except BrokenProcessPool as error:
                deaths += 1
                if deaths > MAX_DEATHS:
                    raise ReverieError(
                        f"workers died {deaths} times (out of memory?); {len(waiting)} blocks are left. "
                        "Run the same command again with fewer processes or a smaller block"
                    ) from error

    return engine


def _one_pool(processes: int, plan: Plan, folder: Path, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    """Hand out a few blocks ahead, in order; yield results as they come."""
    spawn = multiprocessing.get_context("spawn")  # a graphics context or threads do not survive a fork
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=start_process, initargs=(plan, folder))
    try:
        running: set[Future[BlockResult]] = set()
        queue = iter(blocks)
        while True:
            while len(running) < 2 * processes and (block := next(queue, None)) is not None:
                running.add(pool.submit(run_in_process, block))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def engine_for(processes: int) -> Engine:
    if processes < 1:
        raise ReverieError(f"processes is {processes}: it must be >= 1")
    return in_this_process if processes == 1 else in_processes(processes)
