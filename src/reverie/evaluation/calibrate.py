"""Absolute success from few real trials and many dreamt ones: per policy, pooled, and where the next real trials go.

The unit is a scene: its dreamt outcome is the mean over replicates, its real outcome the mean over the real trials there,
so that trials of one scene are never counted as independent. Real scenes must be a random draw of the run's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np

from reverie.core import ReverieError
from reverie.core.estimate import Estimate
from reverie.evaluation.comparison import LEVEL
from reverie.evaluation.next_trials import Means, Next, next_trials
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.rates import scored, success_rate
from reverie.evaluation.real_trials import RealTrial
from reverie.stats import (
    HeldOut,
    MapKind,
    PredictionPowered,
    held_out,
    prediction_powered,
    wilson,
)

MIN_SHARED = 3
"""Scenes that all policies were tried in, below which pooling takes policies as independent."""


@dataclass(frozen=True)
class Calibrated:
    """One policy. dreamt: over all its dreamt trials. real: over its real trials, scenes known or not. powered: from its
    pairs of scenes. unpaired: real trials that have no dreamt scene beside them."""

    policy: str
    dreamt: Estimate
    real: Estimate
    powered: PredictionPowered
    unpaired: int


@dataclass(frozen=True)
class Calibration:
    """`by_policy`, `by_task`: maps from dreamt to real rates, each judged on a policy (a task) it was not fitted on."""

    view: View
    n_scenes: int
    policies: tuple[Calibrated, ...]
    pooled: Estimate
    pooled_guaranteed: Estimate
    by_policy: Mapping[MapKind, HeldOut]
    by_task: Mapping[MapKind, HeldOut]
    following: Next

    def to_dict(self) -> dict[str, Any]:
        fields = asdict(self)
        return {"v": 1, **fields, "policies": {p["policy"]: p for p in fields["policies"]}}


def calibrate(
    table: Outcomes, view: View, trials: Sequence[RealTrial], n_more: int = 20, target: float = 0.1
) -> Calibration:
    """Raises ReverieError where no policy was tried in both."""
    dreamt = {p: _dreamt(table, view, p) for p in table.policies if table.outcomes[view].get(p)}
    policies = [p for p in dreamt if dreamt[p]]
    if not policies:
        raise ReverieError(f"{view.world}, judged by {view.judge}: nothing was scored; give another --view")
    real = {p: _real(trials, p) for p in policies}
    found = tuple(_calibrated(table, view, p, trials, dreamt[p], real[p]) for p in policies)
    return Calibration(
        view,
        len({scene for scenes in dreamt.values() for scene in scenes}),
        found,
        *_pooled(found, dreamt, real),
        _maps(*_by_policy(found)),
        _maps(*_by_task(table, view, trials, policies)),
        next_trials(dreamt, real, n_more, target),
    )


def _dreamt(table: Outcomes, view: View, policy: str) -> Means:
    return _means((scene, success) for (scene, _, _), success in scored(table.outcomes[view][policy]).items())


def _real(trials: Sequence[RealTrial], policy: str) -> Means:
    return _means((t.scene, t.success) for t in trials if t.policy == policy and t.scene is not None)


def _means(outcomes: Iterable[tuple[str, bool]]) -> Means:
    """(scene, success) pairs -> mean of each scene."""
    found: dict[str, list[bool]] = defaultdict(list)
    for scene, success in outcomes:
        found[scene].append(success)
    return {scene: float(np.mean(values)) for scene, values in found.items()}


def _calibrated(
    table: Outcomes, view: View, policy: str, trials: Sequence[RealTrial], dreamt: Means, real: Means
) -> Calibrated:
    mine = [t for t in trials if t.policy == policy]
    return Calibrated(
        policy,
        success_rate(scored(table.outcomes[view][policy])),
        wilson(sum(t.success for t in mine), len(mine)),
        _powered(dreamt, real),
        sum(t.scene not in dreamt for t in mine),
    )


def _powered(dreamt: Means, real: Means) -> PredictionPowered:
    pairs = sorted(dreamt.keys() & real.keys())
    rest = [dreamt[s] for s in sorted(dreamt.keys() - real.keys())]
    return prediction_powered([real[s] for s in pairs], [dreamt[s] for s in pairs], rest)


def _pooled(
    found: Sequence[Calibrated], dreamt: Mapping[str, Means], real: Mapping[str, Means]
) -> tuple[Estimate, Estimate]:
    """Mean over the policies that have pairs, approximate and guaranteed. Over scenes that all of them were tried in,
    where there are enough, whole scenes are the units; else policies are taken as independent, without a guarantee."""
    those = [c for c in found if c.powered.estimate.value is not None]
    names = [c.policy for c in those]
    absent = Estimate.absent(0, "mean over policies", LEVEL, "no policy has a real trial in a dreamt scene")
    if not those:
        return absent, absent
    everywhere = set.intersection(*(set(dreamt[p]) for p in names))
    shared = everywhere.intersection(*(real[p] for p in names))
    if len(shared) < MIN_SHARED or any(len(real[p].keys() & everywhere) > len(shared) for p in names):
        return _independent(those), replace(absent, reason="policies were tried in different scenes")
    powered = _powered(_over(names, dreamt, everywhere), _over(names, real, shared))
    method = f"mean of {len(names)} policies over shared scenes"
    return replace(powered.estimate, method=f"{method}, {powered.estimate.method}"), powered.guaranteed


def _over(policies: Sequence[str], side: Mapping[str, Means], scenes: Iterable[str]) -> Means:
    return {s: float(np.mean([side[p][s] for p in policies])) for s in scenes}


def _independent(those: Sequence[Calibrated]) -> Estimate:
    estimates = [c.powered.estimate for c in those]
    value = float(np.mean([e.value or 0.0 for e in estimates]))
    halves = [((e.high or 0.0) - (e.low or 0.0)) / 2 for e in estimates]
    reach = float(np.sqrt(np.sum(np.square(halves)))) / len(those)
    method = f"mean of {len(those)} policies, each by PPI++, taken as independent of each other"
    n = sum(e.n for e in estimates)
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), n, method, LEVEL)


def _by_policy(found: Sequence[Calibrated]) -> tuple[list[float], list[float], list[str]]:
    rows = [
        (c.dreamt.value, c.real.value, c.policy)
        for c in found
        if c.real.value is not None and c.dreamt.value is not None
    ]
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def _by_task(
    table: Outcomes, view: View, trials: Sequence[RealTrial], policies: Sequence[str]
) -> tuple[list[float], list[float], list[str]]:
    """Rates of (policy, task) cells, grouped by task."""
    of = {s.id: s.task for s in table.plan.scenes}
    x: list[float] = []
    y: list[float] = []
    groups: list[str] = []
    for policy in policies:
        cells = scored(table.outcomes[view][policy])
        for task in sorted(set(of.values())):
            dreamt = [o for c, o in cells.items() if of[c[0]] == task]
            real = [t.success for t in trials if (t.policy, t.task) == (policy, task)]
            if dreamt and real:
                x.append(float(np.mean(dreamt)))
                y.append(float(np.mean(real)))
                groups.append(task)
    return x, y, groups


def _maps(x: Sequence[float], y: Sequence[float], groups: Sequence[str]) -> dict[MapKind, HeldOut]:
    return {kind: held_out(x, y, groups, kind) for kind in get_args(MapKind)}
