"""Judge a finished run again, without rolling anything out: another judge, or a newer version of one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from reverie.core import Judge, ReverieError, Trial, Unheard, Verdict
from reverie.evaluation.evaluate import Progress
from reverie.evaluation.plan import read_plan
from reverie.evaluation.receipts import judge_receipts
from reverie.evaluation.storage import read_episodes
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, Journal, TrialVerdict


@dataclass(frozen=True)
class Judged:
    """verdicts: appended now. unheard: trials on which no answer could be had, with the last reason."""

    verdicts: int
    unheard: int
    reason: str


def judge_again(folder: Path, judge: Judge, progress: Progress | None = None) -> Judged:
    """Append this judge's verdicts on every trial that lacks one of this version.

    Errors: ReverieError where a whole block of trials is not answered; what was written before stays.
    """
    read_plan(folder)  # an error where this is no run, before a journal is opened there
    with Journal(folder) as journal:
        n_missing = sum(1 for _ in _missing(folder, judge, journal))
        receipts = [r for r in judge_receipts([judge]) if n_missing and not journal.has(RECEIPTS, r)]
        journal.add([], [], receipts)
        asked, written, reason = 0, 0, ""
        for rows, said in _by_block(folder, judge, _missing(folder, judge, journal)):
            verdicts = [TrialVerdict(t.key, v) for t, v in zip(rows, said, strict=True) if isinstance(v, Verdict)]
            reason = next((v.reason for v in said if isinstance(v, Unheard)), reason)
            if not verdicts:
                raise ReverieError(f"{judge.name}: {reason}; {written} of {n_missing} trials were judged")
            journal.add([], verdicts, [])
            asked, written = asked + len(rows), written + len(verdicts)
            if progress:
                progress(asked, n_missing)
        return Judged(written, asked - written, reason)


def _missing(folder: Path, judge: Judge, journal: Journal) -> Iterator[Trial]:
    """Trials that were run and have no verdict yet, in the order of their lines."""
    for trial in TRIALS.read(folder):
        known = journal.has_key(VERDICTS, (trial.key, judge.name, judge.version))
        if trial.error is None and trial.refused is None and not known:
            yield trial


def _by_block(
    folder: Path, judge: Judge, trials: Iterable[Trial]
) -> Iterator[tuple[list[Trial], list[Verdict | Unheard]]]:
    for block, group in groupby(trials, key=lambda t: str(t.info["block"])):
        rows = list(group)
        episodes = read_episodes(folder, block, {int(t.info["row"]): t.clip for t in rows})
        yield rows, list(judge.judge(episodes))
