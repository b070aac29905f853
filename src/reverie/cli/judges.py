"""`reverie judges RUN`: do the judges of a run agree? Kappa with its interval, n, what was left out, and the counts.

Every two judges that are present (physics, learned, models, people), on the trials that both scored, world by world.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reverie.core import Estimate
from reverie.evaluation.judges import JudgePair, JudgesOfRun, compare_judges


@dataclass(frozen=True)
class Options:
    """Reads records only: nothing is judged again."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    json: bool = False
    """Print JSON, with the clustered intervals and the trials on which two judges disagree."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie judges", description=__doc__)
    found = compare_judges(options.run)
    if options.json:
        print(json.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        show(found, Console())
    return 0


def show(found: JudgesOfRun, console: Console) -> None:
    console.print(Text(f"{found.n_trials} trials"))
    for judge, counts in found.outcomes.items():
        console.print(Text(f"  {judge}: {words(counts)}"))
    if not found.pairs:
        console.print(Text("One judge: nothing to compare with."))
    for pair in found.pairs:
        console.print(pair_table(pair))


def pair_table(pair: JudgePair) -> Table:
    """One pair in one world."""
    table = Table(
        "", title=Text(f"{pair.first} / {pair.second}, {pair.world}"), show_header=False, title_justify="left"
    )
    table.add_column(overflow="fold")
    table.add_row("kappa", interval(pair.agreement.kappa))
    if pair.agreement.clustered_kappa is not None:
        table.add_row("over policies", interval(pair.agreement.clustered_kappa, "policies"))
    table.add_row("same call", interval(pair.agreement.accuracy))
    table.add_row("both success / neither", f"{pair.both} / {pair.neither}")
    table.add_row(Text(f"only {pair.first} / only {pair.second}"), f"{pair.only_first} / {pair.only_second}")
    reasons = "; ".join(f"{judge}: {words(counts)}" for judge, counts in pair.left_out.items() if counts)
    table.add_row("left out", Text(f"{pair.n_left_out} trials" + (f" ({reasons})" if reasons else "")))
    return table


def interval(estimate: Estimate, of: str = "trials") -> str:
    """In brackets, with what it rests on; a reason where there is no number."""
    if estimate.value is None:
        return f"absent, n = {estimate.n} {of}: {estimate.reason}"
    limits = "no interval" if estimate.low is None else f"\\[{estimate.low:.2f}, {estimate.high:.2f}]"
    return f"{estimate.value:.2f} {limits}, n = {estimate.n} {of}"


def words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in counts.items()) or "nothing"
