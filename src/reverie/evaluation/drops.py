"""What every edit costs every policy, against the same scenes unedited; and whether a world predicts that. Pure: a table of
outcomes in, estimates out.

A drop is paired: clean minus edited over (scene, replicate) that both arms scored in the same view. What was not scored is
absent with its reason: an axis that no image shows has no drop in a video world, not one of 0.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from reverie.core import Outcome
from reverie.core.estimate import Estimate
from reverie.evaluation.blocks import UNEDITED, edit_of
from reverie.evaluation.cells import Cell
from reverie.evaluation.comparison import LEVEL, Comparison, comparisons
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import LEFT_OUT, scored
from reverie.stats import PValue, bootstrap_mean, correlation, exact_mcnemar, paired_difference, paired_table, wilson

EVERY_LEVEL = EVERY_POLICY = ""
Pair = tuple[Cell, bool, bool]
"""An edited cell, and success without and under the edit."""
_BLIND = "refused: no image of this world shows what the axis changes"


@dataclass(frozen=True)
class EditedArm:
    """One level of one axis, or every level of it; `edits` as trials' keys have them."""

    axis: str
    level: str
    severity: float | None
    edits: frozenset[str]


@dataclass(frozen=True)
class Drop:
    """clean, edited: success rates over the same pairs; drop: the first minus the second. `left_out` counts edited trials in
    no rate. level EVERY_LEVEL, policy EVERY_POLICY: all together; then a scene is one unit, however many levels and policies
    it was seen under, and there is no p."""

    view: View
    policy: str
    axis: str
    level: str
    severity: float | None
    clean: Estimate
    edited: Estimate
    drop: Estimate
    p: PValue | None
    left_out: dict[str, int]


@dataclass(frozen=True)
class OnAxis:
    """Every view's policies under one axis against the truth's, all its levels together."""

    axis: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class AxisOrder:
    """Axes from the one that costs a policy most to the one that costs it least, in the truth and as predicted; over axes with
    a drop in both. rank_correlation: Spearman's of the drops."""

    policy: str
    view: View
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    rank_correlation: Estimate

    @property
    def same(self) -> bool:
        return self.true == self.predicted


@dataclass(frozen=True)
class Cost:
    """An axis in one view: what it costs all policies together, and each, the best on it first."""

    axis: str
    n_scenes: int
    whole: Drop
    policies: tuple[Drop, ...]


@dataclass(frozen=True)
class Axes:
    drops: tuple[Drop, ...]
    on_axis: tuple[OnAxis, ...]
    orders: tuple[AxisOrder, ...]


def axes_of(table: Outcomes) -> Axes | None:
    """None where no edited scene has an unedited one beside it."""
    arms = edited_arms(table.plan)
    if not arms:
        return None
    found = drops(table, arms)
    whole = [a for a in arms if a.level == EVERY_LEVEL]
    return Axes(
        tuple(found),
        tuple(OnAxis(a.axis, tuple(comparisons(table.under(a.edits)))) for a in whole),
        tuple(orders(table, found)),
    )


def costs(axes: Axes, plan: Plan, view: View) -> list[Cost]:
    """The costliest axis first; those whose cost is unknown last."""
    whole = [d for d in axes.drops if d.view == view and d.level == EVERY_LEVEL]
    found = []
    for together in (d for d in whole if d.policy == EVERY_POLICY):
        own = [d for d in whole if d.axis == together.axis and d.policy != EVERY_POLICY]
        own.sort(key=lambda d: (d.edited.value is None, -(d.edited.value or 0.0), d.policy))
        n_scenes = sum(len(s.edits) == 1 and s.edits[0].axis == together.axis for s in plan.scenes)
        found.append(Cost(together.axis, n_scenes, together, tuple(own)))
    return sorted(found, key=lambda c: (c.whole.drop.value is None, -(c.whole.drop.value or 0.0), c.axis))


def edited_arms(plan: Plan) -> list[EditedArm]:
    """Levels in the plan's order, each axis as a whole after its levels. Scenes with several edits are in no arm: nobody could
    say which of them costs what."""
    clean = {s.id for s in plan.scenes if not s.edits}
    levels: dict[tuple[str, str, float], set[str]] = {}
    for scene in plan.scenes:
        if len(scene.edits) == 1 and scene.id in clean:
            (edit,) = scene.edits
            level = str(edit.parameters.get("level", "edited"))
            levels.setdefault((edit.axis, level, edit.severity), set()).add(edit_of(scene))
    found: list[EditedArm] = []
    for axis in dict.fromkeys(axis for axis, *_ in levels):
        own = [EditedArm(*key, frozenset(edits)) for key, edits in levels.items() if key[0] == axis]
        found += [*own, EditedArm(axis, EVERY_LEVEL, None, frozenset().union(*(a.edits for a in own)))]
    return found


def drops(table: Outcomes, arms: Iterable[EditedArm]) -> list[Drop]:
    """Every view, policy and arm; and every axis for all policies of a view together."""
    found = []
    for view, rows in table.outcomes.items():
        for arm in arms:
            found += [_drop(table, view, (policy,), arm) for policy in rows]
            if arm.level == EVERY_LEVEL:
                found.append(replace(_drop(table, view, tuple(rows), arm), policy=EVERY_POLICY))
    return found


def _drop(table: Outcomes, view: View, policies: tuple[str, ...], arm: EditedArm) -> Drop:
    counts: Counter[Outcome] = Counter()
    pairs: list[Pair] = []
    for policy in policies:
        cells = table.outcomes[view][policy]
        mine = {c: o for c, o in cells.items() if c[1] in arm.edits}
        counts.update(mine.values())
        success = scored(cells)
        pairs += [(c, success[_unedited(c)], success[c]) for c in mine if c in success and _unedited(c) in success]
    clean, edited, drop, p = _over_scenes(pairs) if arm.level == EVERY_LEVEL else _over_pairs(pairs)
    if not pairs and counts[Outcome.REFUSED]:
        drop = replace(drop, reason=_BLIND)
    left_out = {str(o): counts[o] for o in LEFT_OUT if counts[o]}
    return Drop(view, policies[0], arm.axis, arm.level, arm.severity, clean, edited, drop, p, left_out)


def _over_pairs(pairs: Sequence[Pair]) -> tuple[Estimate, Estimate, Estimate, PValue | None]:
    before, after = [a for _, a, _ in pairs], [b for *_, b in pairs]
    both = paired_table(before, after)
    clean, edited = (wilson(sum(side), len(side)) for side in (before, after))
    return clean, edited, paired_difference(both), exact_mcnemar(both)


def _unedited(cell: Cell) -> Cell:
    return cell[0], UNEDITED, cell[2]


def _over_scenes(pairs: Sequence[Pair]) -> tuple[Estimate, Estimate, Estimate, None]:
    """Clean, edited and drop as means over scenes, whose levels, replicates and policies hang together."""
    scenes: dict[str, list[tuple[bool, bool]]] = {}
    for (scene, *_), without, under in pairs:
        scenes.setdefault(scene, []).append((without, under))
    before, after = ([fmean(pair[i] for pair in own) for own in scenes.values()] for i in (0, 1))
    lost = [a - b for a, b in zip(before, after, strict=True)]
    clean, edited, drop = (bootstrap_mean(values, "scenes") for values in (before, after, lost))
    return clean, edited, drop, None


def orders(table: Outcomes, found: Sequence[Drop]) -> list[AxisOrder]:
    """Every policy in every view of another world than the truth's; none without a truth."""
    truth = table.truth
    if truth is None:
        return []
    whole: dict[tuple[View, str], dict[str, float]] = {}
    for d in found:
        if d.level == EVERY_LEVEL and d.policy != EVERY_POLICY and d.drop.value is not None:
            whole.setdefault((d.view, d.policy), {})[d.axis] = d.drop.value
    return [
        _order(policy, view, whole.get((truth, policy), {}), whole.get((view, policy), {}))
        for view, rows in table.outcomes.items()
        if view != truth
        for policy in rows
        if policy in table.outcomes.get(truth, {})
    ]


def _order(policy: str, view: View, true: Mapping[str, float], predicted: Mapping[str, float]) -> AxisOrder:
    axes = [a for a in true if a in predicted]
    by_truth, by_prediction = (tuple(sorted(axes, key=lambda a: (-side[a], a))) for side in (true, predicted))
    found = _rank_correlation([predicted[a] for a in axes], [true[a] for a in axes])
    return AxisOrder(policy, view, by_truth, by_prediction, found)


def _rank_correlation(predicted: Sequence[float], true: Sequence[float]) -> Estimate:
    if not true:
        return Estimate.absent(0, "Spearman over axes", LEVEL, "no axis has a drop in both")
    found = correlation(predicted, true, "spearman")
    reason = found.reason.replace("policies", "axes") if found.reason else None
    return replace(found, method=found.method.replace("policies", "axes"), reason=reason)
