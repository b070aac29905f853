"""Summary: everything that a run's records say, as estimates. Rebuilt from the records, never stored as the truth."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reverie.core import TrialKey
from reverie.core.files import write_text
from reverie.evaluation.blocks import n_planned
from reverie.evaluation.comparison import Comparison, comparisons
from reverie.evaluation.corrections import Correction, corrections
from reverie.evaluation.drops import Axes, axes_of
from reverie.evaluation.entrants import in_view
from reverie.evaluation.gain import Gain, gain
from reverie.evaluation.outcomes import Outcomes, View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Rate, rates
from reverie.evaluation.standings import Standings, standings
from reverie.trials import TRIALS

FILE = "summary.json"
MAX_FAILURES = 100


@dataclass(frozen=True)
class Failure:
    """A trial without an outcome for a technical reason: the last line of its traceback, or why it was refused."""

    key: TrialKey
    reason: str


@dataclass(frozen=True)
class Summary:
    """What `report` and the statistics commands read. `planned` counts the trials that the plan asks for; `n_failures` those
    that ended in an error or were refused, of which `failures` holds the first MAX_FAILURES. All of it is about scenes as
    they are, where edited ones stand beside them, but for `axes` and `table`."""

    plan: Plan
    n_trials: int
    planned: int
    rates: tuple[Rate, ...]
    standings: dict[View, Standings]
    comparisons: tuple[Comparison, ...]
    gains: tuple[Gain, ...]
    n_failures: int
    failures: tuple[Failure, ...]
    corrections: tuple[Correction, ...]
    table: Outcomes
    axes: Axes | None

    def rates_of(self, view: View) -> list[Rate]:
        return [r for r in self.rates if r.view == view]

    def corrected(self, rate: Rate) -> Correction | None:
        """The same rate corrected for the judge's errors, where it knows them."""
        return next((c for c in self.corrections if (c.view, c.policy) == (rate.view, rate.policy)), None)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers and how they were computed, without the outcomes of single trials."""
        return {
            "v": 1,
            "n_trials": self.n_trials,
            "planned": self.planned,
            "truth": asdict(self.table.truth) if self.table.truth else None,
            "rates": [asdict(r) for r in self.rates],
            "standings": [found.to_dict() for found in self.standings.values()],
            "comparisons": [asdict(c) for c in self.comparisons],
            "gains": [asdict(g) for g in self.gains],
            "n_failures": self.n_failures,
            "failures": [asdict(f) for f in self.failures],
            "corrected_for_the_judge": [asdict(c) for c in self.corrections],
            "axes": asdict(self.axes) if self.axes else None,
        }


def summarise(folder: Path) -> Summary:
    whole = read_outcomes(folder)
    table = whole.nominal
    ranked = rates(table)
    compared = comparisons(table)
    n_failures, failures = _failures(folder)
    return Summary(
        whole.plan,
        whole.n_trials,
        n_planned(whole.plan),
        tuple(ranked),
        {view: standings(in_view(table, view)) for view in table.outcomes},
        tuple(compared),
        tuple(_gains(table, compared)),
        n_failures,
        tuple(failures),
        tuple(corrections(table, ranked)),
        whole,
        axes_of(whole),
    )


def _gains(table: Outcomes, compared: list[Comparison]) -> list[Gain]:
    """Every prediction against every control in its own world."""
    return [
        gain(table, p.view, c.view, p.truth)
        for p in compared
        if p.role == "prediction"
        for c in compared
        if c.role == "control" and c.view.world == p.view.world
    ]


def _failures(folder: Path) -> tuple[int, list[Failure]]:
    """How many, and the first MAX_FAILURES."""
    n, found = 0, []
    for trial in TRIALS.read(folder):
        reason = trial.error.strip().splitlines()[-1] if trial.error is not None else trial.refused
        if reason is not None:
            n += 1
            found += [Failure(trial.key, reason)] if n <= MAX_FAILURES else []
    return n, found


def write_summary(folder: Path) -> Summary:
    """Summarise and leave the numbers in the run's folder for other programs."""
    summary = summarise(folder)
    write_text(folder / FILE, json.dumps(summary.to_dict(), indent=1, allow_nan=False) + "\n")
    return summary
