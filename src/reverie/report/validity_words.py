"""What real and predicted rates say, and what they do not support, in sentences made from the numbers."""

from collections.abc import Sequence
from itertools import combinations
from math import factorial

from reverie.evaluation.comparison import Correlation
from reverie.evaluation.levels import Level
from reverie.evaluation.validity import Validity
from reverie.report.formats import drop_one, number, p_value, points

FEW, NARROW, CARRIES = 10, 0.3, 0.1
"""Policies below which intervals are wide; a span of real rates; a change of r when one policy is left out."""


def said(found: Validity) -> list[str]:
    """What the policy level says, in sentences."""
    level, k = found.overall, len(found.overall.units)
    r = level.pearson.over_policies
    if k == 0:
        lines = ["No policy has every task: there is no policy level."]
    elif r.value is None:
        lines = [f"Over {k} policies there is no correlation to report: {r.reason}."]
    else:
        lines = [f"Over {k} policies Pearson's r is {_with(level.pearson)}."]
        lines += [
            f"Spearman's rho is {number(level.spearman.over_policies)}, Kendall's tau-b {number(level.kendall.over_policies)}."
        ]
    if level.mmrv.value is not None:
        noise = level.mmrv_from_noise
        floor = f"; trial noise alone would give {number(noise)}" if noise.value is not None else ""
        lines.append(f"MMRV is {number(level.mmrv, 3)}{_over_trials(level)}{floor}.")
    if level.bias.value is not None:
        lines.append(f"Predicted minus real is {points(level.bias)} on average{_corrected(found)}.")
    if level.choice.regret is not None and k > 1:
        chosen, best = (_named(level, which) for which in (level.choice.chosen, level.choice.best))
        lines.append(
            f"Choosing by the prediction takes {chosen} and costs {100 * level.choice.regret:.0f} points; best is {best}."
        )
    if found.cells is not None:
        pooled = found.cells.pearson.over_policies
        within = found.within_tasks.value if found.within_tasks else None
        inner = "" if within is None else f"; {within:.2f} within tasks"
        lines.append(f"Over the {len(found.cells.units)} cells of policy and task r is {plain(pooled.value)}{inner}.")
    return lines


def limits(found: Validity) -> list[str]:
    """What the data do not support, the gravest first."""
    level, k = found.overall, len(found.overall.units)
    lines = ["Any ranking over all tasks: no policy has every task."] if k == 0 else []
    if 0 < k < FEW:
        lines.append(f"A statement about other policies: {k} {'stands' if k == 1 else 'stand'} behind it{_floor(k)}.")
    lines += [*_noise(level), *_spread(level), *_carried(level), *_ties(level), *_order(level), *_absolute(level)]
    if level.pearson.over_trials.low is not None:
        lines.append(
            "The upper limits over trials: resampling adds noise to noise, and they lie too low where a prediction is nearly perfect."
        )
    within = found.within_tasks.value if found.within_tasks else None
    pooled = found.cells.pearson.over_policies.value if found.cells else None
    if within is not None and pooled is not None and pooled - within > CARRIES:
        lines.append(
            f"The pooled r of {pooled:.2f} over cells: within tasks it is {within:.2f}; the rest is that some tasks are easier for all."
        )
    if found.cells is not None:
        lines.append("Any interval over cells: those of one policy, or of one task, are not independent.")
    if found.left_out and k:
        lines.append(f"Anything about {_listed(found.left_out)} at policy level: they lack a task.")
    if found.impossible:
        lines.append(f"That these are success rates of n trials: no count gives {_listed(found.impossible)}.")
    return lines


def _noise(level: Level) -> list[str]:
    if level.neighbours is None:
        return ["How much of this is trial noise: the table gives no n."]
    r, perfect = level.pearson.over_policies.value, level.pearson_from_noise
    if r is None or perfect.low is None or perfect.high is None:
        return []
    if r > perfect.high:
        return [f"That r of {r:.3f} is as it seems: even a perfect prediction would be within {perfect.low:.2f} and {perfect.high:.2f} with so few trials, unless both sides share them."]  # fmt: skip
    if r >= perfect.low:
        return [f"That the prediction errs at all: r of {r:.2f} is what a perfect one would have with these trials ({perfect.low:.2f} to {perfect.high:.2f})."]  # fmt: skip
    return []


def _spread(level: Level) -> list[str]:
    real = [e.value for e in level.real if e.value is not None]
    span = max(real, default=0.0) - min(real, default=0.0)
    if len(real) < 2 or span >= NARROW:
        return []
    return [f"The same r elsewhere: real rates span {100 * span:.0f} points only, and r falls with the span."]


def _carried(level: Level) -> list[str]:
    """One policy that makes the correlation."""
    r, dropped = level.pearson.over_policies.value, level.pearson.drop_one
    if r is None or dropped.low is None or dropped.low_without is None or r - dropped.low <= CARRIES:
        return []
    return [f"r of {r:.2f} without {level.units[dropped.low_without]}: then it is {dropped.low:.2f}."]


def _ties(level: Level) -> list[str]:
    tied = [
        name
        for name, side in (("predicted", level.predicted), ("real", level.real))
        if any(a.value == b.value for a, b in combinations(side, 2))
    ]
    values = sorted({round(v, 3) for v in level.conventions.values()})
    if not tied or len(values) < 2:
        return []
    return [f"One MMRV: {' and '.join(tied)} rates are tied, and conventions give {values[0]:g} to {values[-1]:g}."]


def _order(level: Level) -> list[str]:
    unclear = sum(p > 0.05 for p in level.neighbours or ())
    if not unclear:
        return []
    return [
        f"The real order itself: {unclear} of {len(level.neighbours or ())} neighbours in it cannot be told apart by their real trials."
    ]


def _absolute(level: Level) -> list[str]:
    low, high = level.bias.low, level.bias.high
    if low is None or high is None or low <= 0 <= high:
        return []
    return [
        f"Absolute success: predictions are {points(level.bias)} off; `reverie calibrate` puts that right with a few real trials."
    ]


def _corrected(found: Validity) -> str:
    """What the judge's own errors make of the bias; nothing else here depends on them."""
    behind = found.bias_corrected
    if behind is None:
        return ""
    if behind.value is None:
        return f"; it is not corrected for the judge's errors: {behind.reason}"
    return f", {points(behind)} once corrected for the judge's errors"


def _floor(k: int) -> str:
    if not 2 <= k <= 8:
        return ""
    return f", and no exact p can be below {1 / factorial(k):.2g}"


def _with(found: Correlation) -> str:
    trials = f", {number(found.over_trials)} over trials" if found.over_trials.low is not None else ""
    dropped = f", {drop_one(found.drop_one)} with one left out" if found.drop_one.low is not None else ""
    return f"{number(found.over_policies)}{trials}{dropped}; {p_value(found.p)}"


def _over_trials(level: Level) -> str:
    found = level.mmrv_over_trials
    return "" if found.low is None or found.high is None else f" [{found.low:.3f}, {found.high:.3f}] over trials"


def _named(level: Level, which: Sequence[int]) -> str:
    return " or ".join(level.units[i] for i in which)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def plain(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
