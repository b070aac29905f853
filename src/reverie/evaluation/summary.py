"""Summary: everything that a run's records say, as estimates. Rebuilt from the records, never stored as the truth."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reverie.core import TrialKey
from reverie.core.files import write_text
from reverie.evaluation.blocks import n_planned
from reverie.evaluation.comparison import Comparison, comparisons
from reverie.evaluation.gain import Gain, gain
from reverie.evaluation.outcomes import Outcomes, View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Neighbours, Rate, neighbours, rates
from reverie.trials import TRIALS

FILE = "summary.json"


@dataclass(frozen=True)
class Failure:
    """A trial without an outcome for a technical reason: the last line of its traceback, or why it was refused."""

    key: TrialKey
    reason: str


@dataclass(frozen=True)
class Summary:
    """What `report` and the statistics commands read. `planned` counts the trials that the plan asks for."""

    plan: Plan
    n_trials: int
    planned: int
    rates: tuple[Rate, ...]
    neighbours: dict[View, tuple[Neighbours, ...]]
    comparisons: tuple[Comparison, ...]
    gains: tuple[Gain, ...]
    failures: tuple[Failure, ...]
    table: Outcomes

    def rates_of(self, view: View) -> list[Rate]:
        return [r for r in self.rates if r.view == view]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers and how they were computed, without the outcomes of single trials."""
        return {
            "v": 1,
            "n_trials": self.n_trials,
            "planned": self.planned,
            "truth": asdict(self.table.truth) if self.table.truth else None,
            "rates": [asdict(r) for r in self.rates],
            "neighbours": [
                {"view": asdict(view), "pairs": [asdict(n) for n in pairs]} for view, pairs in self.neighbours.items()
            ],
            "comparisons": [asdict(c) for c in self.comparisons],
            "gains": [asdict(g) for g in self.gains],
            "failures": [asdict(f) for f in self.failures],
        }


def summarise(folder: Path) -> Summary:
    table = read_outcomes(folder)
    ranked = rates(table)
    compared = comparisons(table)
    return Summary(
        table.plan,
        table.n_trials,
        n_planned(table.plan),
        tuple(ranked),
        {view: tuple(neighbours(table, view, ranked)) for view in table.outcomes},
        tuple(compared),
        tuple(_gains(table, compared)),
        tuple(_failures(folder)),
        table,
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


def _failures(folder: Path) -> list[Failure]:
    found = []
    for trial in TRIALS.read(folder):
        if trial.error is not None:
            found.append(Failure(trial.key, trial.error.strip().splitlines()[-1]))
        elif trial.refused is not None:
            found.append(Failure(trial.key, trial.refused))
    return found


def write_summary(folder: Path) -> Summary:
    """Summarise and leave the numbers in the run's folder for other programs."""
    summary = summarise(folder)
    write_text(folder / FILE, json.dumps(summary.to_dict(), indent=1, allow_nan=False) + "\n")
    return summary
