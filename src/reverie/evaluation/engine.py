"""The engine: blocks in, results out, over one process or several. Another engine (a cluster) is one more such function."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from reverie.core.processes import check_processes, in_processes
from reverie.evaluation.blocks import Block
from reverie.evaluation.plan import Plan
from reverie.evaluation.receipts import limit_threads
from reverie.evaluation.worker import Bench, BlockResult, run_in_process, start_process

Engine = Callable[[Plan, Path, Sequence[Block]], Iterator[BlockResult]]


def in_this_process(plan: Plan, folder: Path, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    limit_threads(plan.threads)
    bench = Bench(plan, folder)
    try:
        for block in blocks:
            yield bench.run(block)
    finally:
        bench.close()


def in_several(processes: int, plan: Plan, folder: Path, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    return in_processes(processes, run_in_process, blocks, start_process, plan, folder)


def engine_for(processes: int) -> Engine:
    check_processes(processes)
    return in_this_process if processes == 1 else partial(in_several, processes)
