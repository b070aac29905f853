"""`reverie evaluate`: policies x scenes in worlds -> trials, verdicts, estimates, a report.

    reverie evaluate --policies checkpoints/act checkpoints/rt1 --world checkpoints/world --truth physics \\
        --scenes test:16 --judges physics checkpoints/judge --out runs/first

The same command again goes on where it stopped.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from reverie.cli.progress import progress
from reverie.core import ReverieError
from reverie.evaluation import Plan, Request, evaluate, make_plan
from reverie.evaluation.blocks import blocks_of, replays_of
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
    """The world whose outcomes count as true."""
    truth_judge: str | None = None
    """The judge whose word counts there; the first of --judges unless given."""
    scripts: tuple[str, ...] = ()
    """Privileged policies: run in the truth's world, replayed in the others."""
    controls: tuple[str, ...] = ()
    """Those of --judges that are controls (see no objects)."""
    steps: int = 80
    """Control steps of each trial, unless its scene says how many it needs ("A then B": 160)."""
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

    def request(self) -> Request:
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
            n_steps=self.steps,
            truth=(self.truth, judge) if self.truth else None,
            scripts=self.scripts,
            controls=self.controls,
            replicates=self.replicates,
            block_size=self.block,
            threads=self.threads,
            replay=self.replay,
            keep_video=not self.discard_video,
        )


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie evaluate", description=__doc__)
    return run(options.request(), options.out, options.processes)


def run(request: Request, out: Path, processes: int) -> int:
    """Plan, announce, evaluate, report; prints the report's path."""
    plan = make_plan(request)
    print(announcement(plan), file=sys.stderr)
    with progress("trials") as advance:
        finished = evaluate(plan, out, processes, advance)
    for note in finished.notes:
        print(note, file=sys.stderr)
    print(write_report(out))
    return 0


def announcement(plan: Plan) -> str:
    lengths = Counter(n for b in (*blocks_of(plan), *replays_of(plan)) for n in [b.n_steps] * len(b.keys))
    megabytes = sum(lengths[n] * n for n in lengths) / 80 * (CLIP_BYTES * plan.keep_video + EPISODE_BYTES) / 1e6
    trials = ", ".join(f"{lengths[n]} trials of {n} steps" for n in sorted(lengths))
    return f"{trials}; about {megabytes:.0f} MB on disk for four 64 px cameras"
