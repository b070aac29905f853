"""Reliability: of the episodes that a judge called successful with probability p, how many truly were?

Against the truth of the same trial: for a prediction, that of the same policy, scene and replicate in the truth's world. One
pass over the verdicts; only sums are kept.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from reverie.core import Estimate, Outcome
from reverie.evaluation.outcomes import Outcomes, View
from reverie.stats import wilson
from reverie.trials import VERDICTS

N_BINS = 10


@dataclass(frozen=True)
class Bin:
    """Episodes called with a probability in [low, high): what was said on average, and how many truly succeeded."""

    low: float
    high: float
    said: float
    true: Estimate


@dataclass(frozen=True)
class Reliability:
    """brier: mean squared difference of probability and outcome, over n episodes; always saying the true rate has
    `brier_of_rate`. bins: those that hold an episode."""

    view: View
    n: int
    brier: float
    brier_of_rate: float
    bins: tuple[Bin, ...]


@dataclass
class _Sums:
    n: Counter[int] = field(default_factory=Counter)
    true: Counter[int] = field(default_factory=Counter)
    said: dict[int, float] = field(default_factory=dict)
    squared: float = 0.0


def reliabilities(folder: Path, table: Outcomes) -> list[Reliability]:
    """Of every view whose judge gives probabilities, but that of the truth's own judge; empty without a truth."""
    truth, sums = table.truth, dict[View, _Sums]()
    if truth is None or truth not in table.outcomes:
        return []
    for record in VERDICTS.read(folder):
        key, verdict = record.key, record.verdict
        outcome = table.outcomes[truth].get(key.policy, {}).get((key.scene, key.edit, key.replicate))  # type: ignore[call-overload]
        counts = outcome in (Outcome.SUCCESS, Outcome.FAILURE) and verdict.judge != truth.judge
        if counts and verdict.probability is not None:
            plain = View(key.world, verdict.judge)
            view = plain if plain in table.outcomes else View(key.world, f"{verdict.judge}@{verdict.judge_version}")
            _add(sums.setdefault(view, _Sums()), verdict.probability, outcome is Outcome.SUCCESS)
    return [_reliability(view, s) for view, s in sorted(sums.items())]


def _add(sums: _Sums, probability: float, true: bool) -> None:
    place = min(int(probability * N_BINS), N_BINS - 1)
    sums.n[place] += 1
    sums.true[place] += true
    sums.said[place] = sums.said.get(place, 0.0) + probability
    sums.squared += (probability - true) ** 2


def _reliability(view: View, sums: _Sums) -> Reliability:
    n = sums.n.total()
    rate = sums.true.total() / n
    bins = (Bin(i / N_BINS, (i + 1) / N_BINS, sums.said[i] / sums.n[i], wilson(sums.true[i], sums.n[i])) for i in sorted(sums.n))  # fmt: skip
    return Reliability(view, n, sums.squared / n, rate * (1 - rate), tuple(bins))
