"""Runs from runs: several merged into one, or a part of one, with everything that belongs to their trials.

Nothing is computed: lines, episodes and clips are those of the sources, in the blocks of the new plan, so that the new run
is one like any other: it can be judged again, reported, and finished by `reverie evaluate`.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from reverie.core import ReverieError, Trial, TrialKey, Verdict
from reverie.evaluation.blocks import Block, blocks_of, n_planned, replays_of
from reverie.evaluation.combining import part, union
from reverie.evaluation.evaluate import Progress, is_missing
from reverie.evaluation.plan import Plan, read_plan, settle
from reverie.evaluation.storage import Row, read_rows, store_rows
from reverie.trials import RECEIPTS, TRIALS, Journal, Receipt, Records, TrialVerdict

PLACE = ("seconds", "receipt", "clip", "info")
"""Fields of a trial that may differ between two computations of it."""


@dataclass(frozen=True)
class Source:
    """One run to take from."""

    records: Records
    receipts: dict[str, Receipt]

    @property
    def folder(self) -> Path:
        return self.records.folder


@dataclass(frozen=True)
class Found:
    """A trial, where it was found, and what was said of it there and elsewhere."""

    source: Source
    trial: Trial
    verdicts: tuple[Verdict, ...]


def merge(folders: Sequence[Path], out: Path, progress: Progress | None = None) -> int:
    """Everything that any of the runs holds, in `out`; returns the number of trials. A trial that several of them hold must
    have come out alike in all; so must every judge's word on it."""
    return _take(union([read_plan(f) for f in folders]), folders, out, None, progress)


def extract(folder: Path, out: Path, policies: Sequence[str] = (), worlds: Sequence[str] = (), scenes: Sequence[str] = (), judges: Sequence[str] = (), progress: Progress | None = None) -> int:  # fmt: skip
    """The part of a run that fits the patterns (see `combining.part`), in `out`; returns the number of trials."""
    plan = part(read_plan(folder), policies, worlds, scenes, judges)
    return _take(plan, [folder], out, {j.name for j in plan.judges} if judges else None, progress)


def _take(plan: Plan, folders: Sequence[Path], out: Path, judges: set[str] | None, progress: Progress | None) -> int:
    if out.resolve() in [f.resolve() for f in folders]:
        raise ReverieError(f"--out {out} is one of the runs to read from; name a new folder")
    with ExitStack() as stack:
        sources = [Source(stack.enter_context(Records(f)), {r.id: r for r in RECEIPTS.read(f)}) for f in folders]
        _check_alike(sources)
        settle(plan, out)
        journal = stack.enter_context(Journal(out))
        rows, total = lru_cache(maxsize=8)(read_rows), n_planned(plan)
        for block in chain(blocks_of(plan), replays_of(plan)):
            if is_missing(block, journal):
                _take_block(block, sources, out, judges, journal, rows)
                if progress:
                    progress(journal.n_trials, total)
        return journal.n_trials


def _check_alike(sources: Sequence[Source]) -> None:
    """Before anything is written: what several runs hold is the same in all of them."""
    for number, source in enumerate(sources):
        for trial in TRIALS.read(source.folder) if number else ():
            for other in sources[:number]:
                twin = other.records.trial(trial.key)
                if twin is not None:
                    _check_pair(trial, twin, source, other)


def _check_pair(trial: Trial, twin: Trial, source: Source, other: Source) -> None:
    mine, theirs = ({k: v for k, v in t.to_dict().items() if k not in PLACE} for t in (trial, twin))
    fields = [k for k in mine if mine[k] != theirs[k]]
    said = {(v.judge, v.judge_version): v for v in other.records.verdicts(trial.key)}
    fields += [f"what {v.judge} says" for v in source.records.verdicts(trial.key) if said.get((v.judge, v.judge_version), v) != v]  # fmt: skip
    if fields:
        raise ReverieError(
            f"{other.folder} and {source.folder} cannot be merged: both hold {trial.key.id}, which differs in "
            f"{', '.join(fields)}; take it out of one of them (`reverie filter`), or keep the runs apart"
        )


def _take_block(block: Block, sources: Sequence[Source], out: Path, judges: set[str] | None, journal: Journal, rows: Any) -> None:  # fmt: skip
    found = [_find(key, sources) for key in block.keys]
    if not any(found):
        return
    store_rows(out, block.id, [_row(f, rows) for f in found])
    trials, verdicts, receipts = [], [], {}
    for number, f in enumerate(found):
        if f is None:
            continue
        _link(f, out)
        trials.append(replace(f.trial, info={**f.trial.info, "block": block.id, "row": number}))
        verdicts += [TrialVerdict(f.trial.key, v) for v in f.verdicts if judges is None or v.judge in judges]
        if f.trial.receipt in f.source.receipts:
            receipts[f.trial.receipt] = f.source.receipts[f.trial.receipt]
    journal.add_missing(trials, verdicts, list(receipts.values()))


def _find(key: TrialKey, sources: Sequence[Source]) -> Found | None:
    """The first run that has the trial, and the words of every judge of any run."""
    having = [(s, t) for s in sources if (t := s.records.trial(key)) is not None]
    if not having:
        return None
    said = {(v.judge, v.judge_version): v for s, _ in having for v in s.records.verdicts(key)}
    return Found(*having[0], tuple(said.values()))


def _row(found: Found | None, rows: Any) -> Row | None:
    if found is None or found.trial.error is not None or found.trial.refused is not None:
        return None
    row: Row | None = rows(found.source.folder, str(found.trial.info["block"]))[int(found.trial.info["row"])]
    return row


def _link(found: Found, out: Path) -> None:
    """Clips are never changed in place, so both runs may share one file; copied where the disk cannot."""
    if found.trial.clip is None:
        return
    source, target = found.source.folder / found.trial.clip, out / found.trial.clip
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
