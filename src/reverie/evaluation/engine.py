"""The engine: who computes the blocks of a plan. `evaluate` gives blocks out and writes the journal; it never asks where.

An engine makes `Workers` (`core.processes`) for a plan and a run's folder: blocks are submitted, results and deaths are
reported, and what a dead worker had begun is submitted again by `computed`, which also keeps the number of blocks at work
bounded. Two are here: this process, and several processes of this machine. One more (a cluster) is one more file:

    submit   gives a block to an actor that holds a `Bench(plan, folder)`; the folder is on storage that all of them share
    wait     turns finished calls into `Computed(number, result)`, and actors that died into `Lost(numbers)`
    capacity is a few blocks more than there are actors

Results do not depend on the engine: a block holds everything that decides them.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from reverie.core.processes import Computed, Processes, Workers, check_processes
from reverie.evaluation.blocks import Block
from reverie.evaluation.plan import Plan
from reverie.evaluation.receipts import limit_threads
from reverie.evaluation.worker import Bench, BlockResult, run_in_process, start_process

Engine = Callable[[Plan, Path], Workers[Block, BlockResult]]


class ThisProcess:
    """Computes a block when it is waited for."""

    capacity = 1

    def __init__(self, plan: Plan, folder: Path) -> None:
        limit_threads(plan.threads)
        self._bench = Bench(plan, folder)
        self._submitted: list[tuple[int, Block]] = []

    def submit(self, number: int, block: Block) -> None:
        self._submitted.append((number, block))

    def wait(self) -> list[Computed[BlockResult]]:
        number, block = self._submitted.pop()
        return [Computed(number, self._bench.run(block))]

    def close(self) -> None:
        self._bench.close()


def several_processes(processes: int, plan: Plan, folder: Path) -> Processes[Block, BlockResult]:
    return Processes(processes, run_in_process, start_process, (plan, folder))


def engine_for(processes: int) -> Engine:
    check_processes(processes)
    return ThisProcess if processes == 1 else partial(several_processes, processes)
