"""`reverie judge RUN --judges JUDGE`: judge the stored episodes of a run again, without rolling anything out.

    reverie judge runs/first --judges checkpoints/judge 'vlm:http://127.0.0.1:8000/v1?model=NAME&votes=3'

The same command again asks only about what has no verdict yet.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.cli.progress import progress
from reverie.evaluation.judging import judge_again
from reverie.evaluation.resolve import load_judge
from reverie.report import write_report


@dataclass(frozen=True)
class Options:
    """Adds verdicts and rebuilds the report; what was judged before stays."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    judges: tuple[str, ...]
    """Judges, as for `reverie evaluate`."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie judge", description=__doc__)
    for spec in options.judges:
        judge = load_judge(spec)
        with progress(f"judged by {judge.name}") as advance:
            found = judge_again(options.run, judge, advance)
        if found.unheard:
            print(f"{judge.name} did not answer on {found.unheard} trials ({found.reason})", file=sys.stderr)
    print(write_report(options.run))
    return 0
