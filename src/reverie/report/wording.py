"""The verdict in words, and what the evidence does not support. Sentences are made from the summary, never stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.evaluation import entrants
from reverie.evaluation.comparison import Comparison
from reverie.evaluation.drops import Cost
from reverie.evaluation.failure_modes import FailureModes
from reverie.evaluation.gain import Gain
from reverie.evaluation.outcomes import View
from reverie.evaluation.rates import Rate
from reverie.evaluation.standings import Standings
from reverie.evaluation.summary import Summary
from reverie.evaluation.verdict import verdict as verdict_clauses
from reverie.report.formats import drop_one, number, p_value, percent, view_words, world_words

ALPHA = 0.05
MAX_SENTENCES = 8


def main_view(summary: Summary) -> View | None:
    """The view by which policies are ranked."""
    return entrants.main_view(summary.table)


def main_comparison(summary: Summary) -> Comparison | None:
    """The prediction with the most policies (scripts, where there are any, stand beside the learned ones)."""
    found = [c for c in summary.comparisons if c.role == "prediction"]
    return max(found, key=lambda c: len(c.policies), default=None)


@dataclass(frozen=True)
class Verdict:
    """Sentences: who is better; and, where something predicts the truth, whether it can be trusted."""

    ranking: tuple[str, ...]
    prediction: tuple[str, ...] = ()


NOTHING = Verdict(("Success was not measured in this run: nothing is ranked.",))


def verdict(summary: Summary, found: Standings | None) -> Verdict:
    """First what a reader came for: who is better, and whether the prediction can be trusted."""
    view, comparison = main_view(summary), main_comparison(summary)
    if view is None or found is None:
        return NOTHING
    said = [*_ranking(found), *_unfinished(summary)]
    if comparison is not None:
        return Verdict(tuple(said), tuple(_prediction(summary, comparison)))
    if summary.table.truth is None:
        said.append(f"No truth was part of this run: rates are what {view.judge} says in {view.world}. Whether they predict anything was not measured.")  # fmt: skip
    return Verdict(tuple(said))


def _unfinished(summary: Summary) -> list[str]:
    missing = summary.planned - summary.n_trials
    if not missing:
        return []
    return [
        f"This run is not finished: {summary.n_trials} of {summary.planned} trials. The ranking and all comparisons of two "
        "policies allow for that; other intervals take the number of trials as fixed."
    ]


def _ranking(found: Standings) -> list[str]:
    """The clauses of `evaluation.verdict`, under where they hold, and what else a reader must know of them."""
    where = f"In {world_words(found.view.world)}, judged by {found.view.judge}"
    judged = () if found.errors is None else (found.judged,)
    notes = [f"{note[0].upper()}{note[1:]}." for note in (*found.notes, *judged)]
    return [f"{where}: {'; '.join(verdict_clauses(found))}.", *notes]


def _prediction(summary: Summary, comparison: Comparison) -> list[str]:
    r = comparison.pearson.over_policies
    k = len(comparison.policies)
    name = f"The prediction ({view_words(comparison.view)})"
    if r.value is None:
        said = [f"{name} has no correlation with the truth to report: {r.reason}."]
    else:
        dropped = f"; leaving one policy out, r is {drop_one(comparison.pearson.drop_one)}" if k > 3 else ""
        said = [f"{name} correlates with the truth over {k} policies with r = {number(r)}{dropped}."]
    said += _looking(comparison)
    said += [_bound(c) for c in beside(summary, comparison) if c.role == "replay bound"]
    controls = {c.view: c for c in summary.comparisons if c.role == "control"}
    said += [_control(controls[g.control], g) for g in summary.gains if g.prediction == comparison.view]
    return [*said, _agreement(comparison)]


def _looking(comparison: Comparison) -> list[str]:
    """What is left of the prediction without policies whose prediction is a replay."""
    found = comparison.looking
    if found is None:
        return []
    blind = [p for p in comparison.policies if p not in found.policies]
    return [
        f"{len(blind)} of these act open loop ({', '.join(blind)}): their prediction is a replay. Over the "
        f"{len(found.policies)} that look at frames, r = {number(found.pearson.over_policies)}, "
        f"MMRV {number(found.mmrv_over_trials)}, and {percent(found.agreement.accuracy)} of episodes agree."
    ]


def beside(summary: Summary, comparison: Comparison) -> list[Comparison]:
    """Controls in the prediction's own world, and the replay by the prediction's own judge."""
    return [
        c
        for c in summary.comparisons
        if (c.role == "control" and c.view.world == comparison.view.world)
        or (c.role == "replay bound" and c.view.judge == comparison.view.judge)
    ]


def _bound(other: Comparison) -> str:
    r = number(other.pearson.over_policies)
    return f"Its bound, the true actions replayed ({view_words(other.view)}), has r = {r}."


def _control(other: Comparison, found: Gain) -> str:
    text = f"Its control, {other.view.judge}, which sees no objects, has r = {number(other.pearson.over_policies)}"
    difference = found.difference
    if difference.value is None:
        return f"{text}."
    text += f"; the prediction's r minus that is {number(difference)} (resampling scenes)"
    if difference.low is not None and difference.low > 0:
        return f"{text}: clearly higher."
    return f"{text}: NOT clearly higher, so the correlation may be read off the robot alone."


def _agreement(comparison: Comparison) -> str:
    found = comparison.agreement
    if found.accuracy.value is None or found.majority is None:
        return "Agreement per episode was not measured."
    beats = found.beats_majority.value
    verdict_words = "better than" if beats is not None and beats <= ALPHA else "not shown to be better than"
    return (
        f"It calls {percent(found.accuracy)} of {found.accuracy.n} episodes as the truth does, {verdict_words} always "
        f"saying the commoner outcome ({100 * found.majority:.0f} %; {p_value(beats)}); kappa {number(found.kappa)}."
    )


def limits(summary: Summary, found_axes: Sequence[Cost], modes: FailureModes | None) -> list[str]:
    """What this report does not show."""
    scenes, tasks = len(summary.plan.scenes), sorted({s.task for s in summary.plan.scenes})
    said = [f"Anything about other scenes than these {scenes} of {', '.join(tasks)}, other robots, or cameras that stand elsewhere."]  # fmt: skip
    truth = summary.table.truth
    if truth is None:
        said.append("Whether these rates hold anywhere else: there was no truth to compare with.")
    else:
        said.append(f"Anything about a real robot, unless “{truth.world}” is one: true means {view_words(truth)}.")
    if not found_axes:
        said.append("How much any change of the scenes (light, clutter, other words) costs: none of them is edited.")
    if modes is not None and (untold := sum(p.untold for p in modes.policies)):
        said.append(f"Why {untold} of {untold + modes.told} failed trials failed: their world does not record what the gripper held.")  # fmt: skip
    comparison = main_comparison(summary)
    if comparison is not None:
        said += _prediction_limits(summary, comparison)
    shown = {main_view(summary), comparison.view if comparison else None}
    return said + _left_out([r for r in summary.rates if r.view in shown])


def _prediction_limits(summary: Summary, comparison: Comparison) -> Sequence[str]:
    roles = {c.role for c in summary.comparisons}
    said = [f"How well policies unlike these {len(comparison.policies)} would be predicted; few policies give wide intervals, and intervals over trials are for these policies only."]  # fmt: skip
    if "control" not in roles:
        said.append("Whether objects matter to the prediction: no control judge was part of the plan.")
    if comparison.dropped:
        said.append(f"What the prediction or the truth would have said of {comparison.dropped} episodes that only one of them scored: they are in no comparison.")  # fmt: skip
    if "replay bound" not in roles:
        said.append("Whether errors come from the world or from the policy's reaction to it: nothing was replayed.")
    if "judge alone" not in roles:
        said.append("How often the prediction's judge errs on true frames: it was not measured here.")
    return said


def _left_out(rates: Sequence[Rate]) -> list[str]:
    """Rates that rest on a part of the trials only."""
    found = []
    for rate in rates:
        missing = sum(rate.left_out.values())
        if rate.success.value is not None and missing > 0.1 * (missing + rate.success.n):
            found.append(f"What {rate.policy} would have done in {missing} of {missing + rate.success.n} trials that are in no rate ({view_words(rate.view)}).")  # fmt: skip
    return found[:MAX_SENTENCES]
