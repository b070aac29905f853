"""`reverie evaluate`: policies x scenes in worlds -> trials, verdicts, estimates, a report.

    reverie evaluate --policies checkpoints/act checkpoints/rt1 --world checkpoints/world --truth physics \\
        --scenes test:16 --judges physics checkpoints/judge --out runs/first

    reverie evaluate --policies checkpoints/act --scenes recorded:data/trials --truth recorded \\
        --world video:checkpoints/world --judges checkpoints/judge --out runs/mine

The second takes logged real trials as scenes and as the truth. The same command again goes on where it stopped.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from reverie.cli.progress import progress
from reverie.core import ReverieError
from reverie.evaluation import Plan, Request, evaluate, make_plan, recordings
from reverie.evaluation.blocks import blocks_of, n_planned, replays_of
from reverie.evaluation.engine import engine_for
from reverie.evaluation.until_decided import UntilDecided, question_of
from reverie.report import write_report

CLIP_BYTES, EPISODE_BYTES = 110_000, 15_000
"""Measured: 8 s of four 64 px cameras."""


@dataclass(frozen=True)
class Options:
    """What to evaluate; specs are `kind`, `kind:rest` or a checkpoint's folder."""

    out: Path
    """The run's folder."""
    scenes: tuple[str, ...]
    """Scenes to start from."""
    judges: tuple[str, ...]
    """Who says what succeeded; each judges every world and abstains where it cannot."""
    policies: tuple[str, ...] = ()
    """Policies that run in every world."""
    world: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--worlds"])] = ()
    """Worlds that predict the truth."""
    truth: str | None = None
    """The world whose outcomes count as true; `recorded`: the labels of the trials that --scenes recorded:DATA names."""
    truth_judge: str | None = None
    """The judge whose word counts there; the first of --judges unless given, or the label of recorded trials."""
    logged_policy: str = recordings.NOBODY
    """Whose recorded trials are that name no policy."""
    scripts: tuple[str, ...] = ()
    """Privileged policies: run in the truth's world, replayed in the others."""
    controls: tuple[str, ...] = ()
    """Those of --judges that are controls (see no objects)."""
    axes: tuple[str, ...] = ()
    """Axes of generalisation: every scene runs again under each of their levels (`background`, `background:red`, or `all`)."""
    steps: int | None = None
    """Control steps of each trial; 80 unless given (or as many as the longest recorded trial has), unless its scene says how
    many it needs ("A then B": 160)."""
    replicates: int = 1
    """Trials of every policy, world and scene."""
    block: int = 8
    """Trials that run as one batch; part of the result."""
    processes: int = 1
    """Blocks at work at the same time; no part of the result."""
    threads: int = 1
    """Threads of each process; part of the result."""
    replay: bool = True
    """Also play the truth's executed actions in the other worlds."""
    discard_video: bool = False
    """Keep no clips: then frames cannot be judged again."""
    until_decided: tuple[str, str] | None = None
    """Stop when it is decided which of these two policies (by name) is better."""
    within: float | None = None
    """With --until-decided: also stop when they differ by less than this share of trials."""

    def request(self) -> Request:
        return self._of_logs() if self.truth == recordings.KIND else self._as_given()

    def _of_logs(self) -> Request:
        """The truth is the label of the trials that the scenes are recorded in, and video worlds begin with their frames."""
        root = recordings.data_of(self.scenes)
        judge = self.truth_judge or "label"
        completed = replace(
            self,
            truth=f"{recordings.KIND}:{root}",
            truth_judge=judge,
            judges=tuple(dict.fromkeys((judge, *self.judges))),
            world=tuple(recordings.begun_by(spec, root) for spec in self.world),
            steps=self.steps or recordings.longest(root),
        )
        return completed._as_given()

    def _as_given(self) -> Request:
        judge = self.truth_judge or (self.judges[0] if self.judges else "")
        if self.truth and judge not in self.judges:
            raise ReverieError(
                f"--truth-judge is {judge!r}, expected one of --judges: {', '.join(self.judges) or 'none given'}"
            )
        if strange := [c for c in self.controls if c not in self.judges]:
            raise ReverieError(f"--controls {', '.join(strange)}: list them under --judges too")
        return Request(
            policies=self.policies,
            worlds=tuple(dict.fromkeys((*((self.truth,) if self.truth else ()), *self.world))),
            scenes=self.scenes,
            judges=self.judges,
            axes=self.axes,
            n_steps=self.steps or 80,
            truth=(self.truth, judge) if self.truth else None,
            scripts=self.scripts,
            controls=self.controls,
            replicates=self.replicates,
            block_size=self.block,
            threads=self.threads,
            replay=self.replay,
            keep_video=not self.discard_video,
            logged_policy=self.logged_policy,
        )


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie evaluate", description=__doc__)
    if options.within is not None and options.until_decided is None:
        raise ReverieError("--within belongs to --until-decided: name the two policies that it is about")
    return run(options.request(), options.out, options.processes, options.until_decided, options.within)


def run(
    request: Request, out: Path, processes: int, names: tuple[str, str] | None = None, within: float | None = None
) -> int:
    """Plan, announce, evaluate (until it is decided which of two named policies is better), report; prints its path."""
    plan = make_plan(request)
    print(announcement(plan), file=sys.stderr)
    engine = engine_for(processes)
    asking = None if names is None else UntilDecided(question_of(plan, names, within), engine)
    with progress("trials") as advance:
        finished = evaluate(plan, out, progress=advance, engine=asking or engine)
    for note in finished.notes:
        print(note, file=sys.stderr)
    if asking is not None:
        print(asking.words(n_planned(plan), finished.n_trials), file=sys.stderr)
    print(write_report(out))
    return 0


def announcement(plan: Plan) -> str:
    lengths = Counter(n for blocks in (blocks_of, replays_of) for b in blocks(plan) for n in [b.n_steps] * len(b.keys))
    megabytes = sum(lengths[n] * n for n in lengths) / 80 * (CLIP_BYTES * plan.keep_video + EPISODE_BYTES) / 1e6
    trials = ", ".join(f"{lengths[n]} trials of {n} steps" for n in sorted(lengths))
    return f"{trials}; about {megabytes:.0f} MB on disk for four 64 px cameras"
