"""evaluate: a plan becomes trials and verdicts in a run's folder. Kill it anywhere; the same call finishes it.

Knows the order of things. It does not know policies, worlds or statistics.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reverie.core.processes import computed
from reverie.evaluation.blocks import Block, blocks_of, n_planned, replays_of
from reverie.evaluation.engine import Engine, engine_for
from reverie.evaluation.plan import Plan, settle
from reverie.trials import TRIALS, Journal

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finished:
    """What `evaluate` did: trials in the journal, those computed now, and notes (what a kill had left behind)."""

    n_trials: int
    n_new: int
    notes: tuple[str, ...]


def evaluate(plan: Plan, folder: Path, processes: int = 1, progress: Progress | None = None, engine: Engine | None = None) -> Finished:  # fmt: skip
    """Compute what is missing of the plan.

    settle the plan: written now, or equal to the one this run began with
    for each phase (policies in worlds; then replays of what they did):
        blocks with a missing trial are computed whole, by any number of processes
        of each result, lines that are not in the journal yet are appended: receipts, verdicts, trials

    Blocks come one after the other and results go to disk: memory does not grow with the number of trials.
    """
    settle(plan, folder)
    start = engine or engine_for(processes)
    with Journal(folder) as journal, closing(start(plan, folder)) as workers:
        total, before = n_planned(plan), journal.n_trials
        for phase in (blocks_of, replays_of):
            for result in computed(workers, (b for b in phase(plan) if is_missing(b, journal))):
                journal.add_missing(result.trials, result.verdicts, result.receipts)
                if progress:
                    progress(journal.n_trials, total)
        return Finished(journal.n_trials, journal.n_trials - before, tuple(journal.notes))


def is_missing(block: Block, journal: Journal) -> bool:
    return not all(journal.has_key(TRIALS, key) for key in block.keys)
