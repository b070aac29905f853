"""Axes: what each kind of edit costs, all policies together and each alone. Empty where no scene of the plan is edited."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import Estimate, Outcome, Scene
from reverie.evaluation.cells import Column
from reverie.evaluation.outcomes import Outcomes, View
from reverie.stats import bootstrap_mean, paired_difference, paired_table, wilson

UNIT = "scenes"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class OnAxis:
    """One policy: its success on the edited scenes, and that minus its success on the same scenes unedited, paired."""

    policy: str
    success: Estimate
    change: Estimate


@dataclass(frozen=True)
class Axis:
    """change: success edited minus unedited, mean over scenes of the mean over policies. policies: the best on it first."""

    name: str
    n_scenes: int
    change: Estimate
    policies: tuple[OnAxis, ...]


def axes(table: Outcomes, view: View) -> list[Axis]:
    """The costliest first; those whose cost is unknown last."""
    scenes = table.plan.scenes
    names = sorted({axis_of(s) for s in scenes if s.edits})
    found = [_axis(table, view, name) for name in names]
    return sorted(found, key=lambda a: (a.change.value is None, a.change.value or 0.0, a.name))


def axis_of(scene: Scene) -> str:
    """The axes of a scene's edits, as one name."""
    return " + ".join(sorted({e.axis for e in scene.edits}))


def _axis(table: Outcomes, view: View, name: str) -> Axis:
    scenes = table.plan.scenes
    unedited = {s.id: i for i, s in enumerate(scenes) if not s.edits}
    edited = [i for i, s in enumerate(scenes) if axis_of(s) == name]
    pairs = [(i, unedited[scenes[i].id]) for i in edited if scenes[i].id in unedited]
    rows = {policy: _numbers(column) for policy, column in table.outcomes[view].items()}  # [R, S] each
    policies = [_on_axis(policy, ok[:, edited], _twins(ok, pairs)) for policy, ok in rows.items()]
    ranked = sorted(policies, key=lambda p: (p.success.value is None, -(p.success.value or 0.0), p.policy))
    return Axis(name, len(edited), _change(list(rows.values()), pairs), tuple(ranked))


def _numbers(column: Column[Outcome]) -> Array:
    """[replicates, scenes]: 1 success, 0 failure, nan where it is neither."""
    found = np.full(len(column.grid), np.nan)
    for outcome, value in ((Outcome.SUCCESS, 1.0), (Outcome.FAILURE, 0.0)):
        found[column.renamed({outcome: True}).there] = value
    return found.reshape(column.grid.replicates, -1)


def _twins(ok: Array, pairs: Sequence[tuple[int, int]]) -> tuple[Array, Array]:
    """Edited and unedited outcomes of the pairs that have both, [P] each."""
    one, two = (ok[:, [p[side] for p in pairs]].ravel() for side in (0, 1))
    both = np.isfinite(one) & np.isfinite(two)
    return one[both], two[both]


def _on_axis(policy: str, edited: Array, twins: tuple[Array, Array]) -> OnAxis:
    scored = edited[np.isfinite(edited)]
    return OnAxis(policy, wilson(int(scored.sum()), scored.size), paired_difference(paired_table(*twins)))


def _change(rows: Sequence[Array], pairs: Sequence[tuple[int, int]]) -> Estimate:
    changes = []
    for i, j in pairs:
        differences = np.concatenate([ok[:, i] - ok[:, j] for ok in rows])
        there = differences[np.isfinite(differences)]
        changes.append(float(there.mean()) if there.size else float("nan"))
    return bootstrap_mean(changes, UNIT)
