"""Where the next real trials go: which policies, how many, in which scenes, and what that is expected to buy.

Scenes are drawn, never picked: prediction-powered inference rests on a random draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import seed_for
from reverie.stats import Precision, allocate, trials_for
from reverie.stats.pairs import padded_moments

Means = Mapping[str, float]
"""scene -> mean outcome of one policy there."""


@dataclass(frozen=True)
class Next:
    """What to try next. scenes: of each policy, a balanced random draw of those without a real trial. half_width: of each
    policy now and after, expected. needed: real scenes in all for `target`, with dreams and without; None above 100,000."""

    scenes: Mapping[str, tuple[str, ...]]
    half_width: Mapping[str, tuple[float, float]]
    target: float
    needed: Mapping[str, tuple[int | None, int | None]]


def next_trials(dreamt: Mapping[str, Means], real: Mapping[str, Means], n_more: int, target: float) -> Next:
    """`n_more` real trials over the policies of `dreamt` and `real`, each where the widest interval is."""
    precisions = _precisions(dreamt, real)
    given = dict(zip(precisions, allocate(list(precisions.values()), n_more), strict=True))
    return Next(
        {p: _draw(dreamt[p], real[p], n) for p, n in given.items()},
        {p: (_half(k, k.n), _half(k, k.n + given[p])) for p, k in precisions.items()},
        target,
        {
            p: (_needed(k, target), trials_for(Precision(k.n, k.n, k.variance, 0.0), target))
            for p, k in precisions.items()
        },
    )


def _needed(precision: Precision, target: float) -> int | None:
    """As many more scenes can be dreamt as it takes."""
    endless = Precision(precision.n, 10**6, precision.variance, precision.correlation)
    return trials_for(endless, target)


def _half(precision: Precision, n: int) -> float:
    """Half of [0, 1] without a trial."""
    return precision.half_width(n) if n else 0.5


def _precisions(dreamt: Mapping[str, Means], real: Mapping[str, Means]) -> dict[str, Precision]:
    """Of every policy; one without pairs is given the correlation of all pairs, and the largest variance."""
    pairs = {p: sorted(dreamt[p].keys() & real[p].keys()) for p in dreamt}
    everything = [(real[p][s], dreamt[p][s]) for p, scenes in pairs.items() for s in scenes]
    _, common = _spread(everything)
    found = {}
    for policy, scenes in pairs.items():
        variance, correlation = _spread([(real[policy][s], dreamt[policy][s]) for s in scenes])
        found[policy] = Precision(len(scenes), len(dreamt[policy]), variance, correlation if scenes else common)
    return found


def _spread(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Variance of real outcomes and their correlation with the dreamt ones, padded."""
    sides = np.array(pairs, np.float64).reshape(-1, 2)
    found = padded_moments(sides[:, 0], sides[:, 1])
    return float(found.real_variance), float(found.covariance / np.sqrt(found.real_variance * found.predicted_variance))


def _draw(dreamt: Means, real: Means, n: int) -> tuple[str, ...]:
    """Scenes without a real trial, in a fixed random order that policies share, such that dreamt successes and failures
    keep their shares: a choice by hand would bias, and a lopsided draw costs precision."""
    left = sorted(dreamt.keys() - real.keys(), key=lambda s: seed_for("next real trial", s))
    tried = [dreamt[s] for s in dreamt.keys() & real.keys()]
    share = {value: list(dreamt.values()).count(value) / len(dreamt) for value in set(dreamt.values())}
    chosen: list[str] = []
    for _ in range(min(n, len(left))):
        done = [*tried, *(dreamt[s] for s in chosen)]
        missing = {value: share[value] * (len(done) + 1) - done.count(value) for value in share}
        chosen.append(max((s for s in left if s not in chosen), key=lambda s: missing[dreamt[s]]))
    return tuple(chosen)
