"""`reverie compare RUN [RUN]`: who is better, how sure; an exit code for machines.

    reverie compare runs/first --policies act rt1
    reverie compare runs/before runs/after --policies act --fail-if-worse-than 0.05

Policies are paired by scene, edit and replicate where at least half of the smaller side's outcomes have a partner, and are
taken as unpaired otherwise; the table says which. Of a judge that knows how often it errs on such frames, rates and differences
are corrected for that, and their intervals hold what is not known of it. In a run that is not finished, everything is peeking-safe. To stop an evaluation when a question is decided: `reverie evaluate --until-decided`.

--fail-if-worse-than M: in one run every policy is held against the first of --policies, of two runs the second's against
the first's. Exit code 1 where the whole interval of a difference lies below -M (worse), 0 where none of it does (not
worse), 3 where it cannot be told; 2 is bad input.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from reverie.core.estimate import Estimate
from reverie.evaluation.entrants import entrants
from reverie.evaluation.gate import EXIT_CODES, Gate, gate
from reverie.evaluation.matches import Match
from reverie.evaluation.standings import Standings, standings
from reverie.evaluation.verdict import verdict
from reverie.stats.formats import counts, number, p_value, percent, points

WIDTH = 120
"""Of what is piped elsewhere."""


@dataclass(frozen=True)
class Options:
    """Reads records only: nothing is computed again."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """The folder of a run, or of two."""
    policies: tuple[str, ...] = ()
    """These only, NAME or NAME@RUN; with --fail-if-worse-than, the first is the reference."""
    world: str | None = None
    """The world (or arm of it) to look at; the truth's unless given."""
    judge: str | None = None
    """Whose verdicts count; the truth's judge unless given."""
    fail_if_worse_than: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """Exit with 1 where a policy is worse by more than this share of trials, with 3 where that cannot be told."""
    json: bool = False
    """Print everything as one JSON object instead."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie compare", description=__doc__)
    found = entrants(options.runs, options.policies, options.world, options.judge)
    ranked = standings(found)
    held = None if options.fail_if_worse_than is None else gate(found, options.fail_if_worse_than)
    if options.json:
        print(json.dumps(as_json(ranked, held), allow_nan=False))
    else:
        show(ranked, held)
    return 0 if held is None else EXIT_CODES[held.state]


def as_json(found: Standings, held: Gate | None) -> dict[str, Any]:
    checked = None if held is None else asdict(held) | {"state": held.state, "exit_code": EXIT_CODES[held.state]}
    return {"v": 1, "verdict": verdict(found), **found.to_dict(), "gate": checked}


def show(found: Standings, held: Gate | None) -> None:
    """First the verdict, then what it rests on."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    print("; ".join(verdict(found)) + ".")
    for note in (*found.notes, found.judged):
        print(f"Note: {note[0].upper()}{note[1:]}.")
    console.print(_policies(found))
    if found.matches:
        print(f"\nEvery pair; {_method(found)}:")
        console.print(_matches(found))
    if held is not None:
        print("\n".join(held.words()))
        print(f"Decided: {held.state} (exit code {EXIT_CODES[held.state]}).")


def _policies(found: Standings) -> Table:
    table = Table(title=f"{found.view.world}, judged by {found.view.judge}", title_justify="left")
    success = ("success",) if found.errors is None else ("called a success", "success, corrected")
    for name in ("policy", *success, "n", "left out", "letters", "strength"):
        table.add_column(name, justify="right" if name == "n" else "left")
    for s in found.policies:
        rates = [percent(e) for e in (s.success, s.corrected) if e is not None]
        table.add_row(s.policy, *rates, str(s.success.n), counts(s.left_out), s.letters, number(s.strength))
    of = "" if found.errors is None else " of calls"
    table.caption = f"who shares a letter is not separated; strength{of}: Bradley-Terry, log odds against the average"
    return table


def _matches(found: Standings) -> Table:
    table = Table()
    difference = ("difference",) if found.errors is None else ("difference of calls", "difference, corrected")
    for name in ("higher", "lower", *difference, "compared on", "p", "p after Holm"):
        table.add_column(name)
    for m in found.matches:
        differences = [points(e) for e in (m.difference, m.corrected) if e is not None]
        table.add_row(m.first, m.second, *differences, _units(m), p_value(m.p), p_value(m.p_holm))
    return table


def _method(found: Standings) -> str:
    how = "the number of trials was fixed by the plan" if found.fixed else "peeking-safe"
    methods = sorted({_short(m.difference) for m in found.matches})
    tested = sum(m.p.value is not None for m in found.matches)
    return f"95 % intervals: {', '.join(methods)}; Holm over {tested} pairs; {how}"


def _short(difference: Estimate) -> str:
    return difference.method.split(", ")[1].removesuffix(" over pairs").removesuffix(" over trials")


def _units(match: Match) -> str:
    return f"{match.difference.n} pairs" if match.paired else f"{match.difference.n} trials, unpaired"
