"""Judge a finished run again, without rolling anything out: another judge, or a newer version of one."""

from collections.abc import Iterator
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
        trials = [t for t in TRIALS.read(folder) if t.error is None and t.refused is None]
        missing = [t for t in trials if not journal.has_key(VERDICTS, (t.key, judge.name, judge.version))]
        written = 0
        for verdicts in _by_block(folder, judge, missing):
            journal.add([], verdicts, [])
            written += len(verdicts)
            if progress:
                progress(written, len(missing))
        return len(missing)


def _by_block(folder: Path, judge: Judge, trials: list[Trial]) -> Iterator[list[TrialVerdict]]:
    for block, group in groupby(trials, key=lambda t: str(t.info["block"])):
        rows = list(group)
        episodes = read_episodes(folder, block, {int(t.info["row"]): t.clip for t in rows})
        yield judged(judge, [t.key for t in rows], list(episodes))
