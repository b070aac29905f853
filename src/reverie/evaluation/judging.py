"""Judge a finished run again, without rolling anything out: another judge, or a newer version of one."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from reverie.core import Judge, Trial
from reverie.evaluation.evaluate import Progress
from reverie.evaluation.plan import read_plan
from reverie.evaluation.storage import read_episodes
from reverie.evaluation.worker import judged
from reverie.trials import TRIALS, VERDICTS, Journal, TrialVerdict


def judge_again(folder: Path, judge: Judge, progress: Progress | None = None) -> int:
    """Append this judge's verdicts on every trial that lacks one of this version; returns how many."""
    read_plan(folder)  # an error where this is no run, before a journal is opened there
    with Journal(folder) as journal:
        n_missing, written = sum(1 for _ in _missing(folder, judge, journal)), 0
        for verdicts in _by_block(folder, judge, _missing(folder, judge, journal)):
            journal.add([], verdicts, [])
            written += len(verdicts)
            if progress:
                progress(written, n_missing)
        return written


def _missing(folder: Path, judge: Judge, journal: Journal) -> Iterator[Trial]:
    """Trials that were run and have no verdict yet, in the order of their lines."""
    for trial in TRIALS.read(folder):
        known = journal.has_key(VERDICTS, (trial.key, judge.name, judge.version))
        if trial.error is None and trial.refused is None and not known:
            yield trial


def _by_block(folder: Path, judge: Judge, trials: Iterable[Trial]) -> Iterator[list[TrialVerdict]]:
    for block, group in groupby(trials, key=lambda t: str(t.info["block"])):
        rows = list(group)
        episodes = read_episodes(folder, block, {int(t.info["row"]): t.clip for t in rows})
        yield judged(judge, [t.key for t in rows], list(episodes))
