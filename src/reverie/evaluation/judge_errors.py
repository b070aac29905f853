"""What a judge gets wrong, carried into the rates that rest on it: corrected, with the wider interval.

The counts come from the judge's receipt; they were measured on held-out episodes, on generated frames for worlds that
generate them. A judge that does not know its errors corrects nothing: its rates stay as they are, and uncorrected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reverie.core import Estimate
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.outcomes import SCRIPTS, View
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Rate
from reverie.judges.errors import ERRORS, GENERATED, RECORDED, JudgeErrors
from reverie.stats import corrected_rate
from reverie.trials import RECEIPTS

SHOWS = ("physics", "recorded")
"""Kinds of worlds whose frames are rendered or recorded, never generated."""


@dataclass(frozen=True)
class Correction:
    """The success rate of one policy in one view, corrected for the judge's errors on frames of this kind."""

    view: View
    policy: str
    frames: str
    success: Estimate


def corrections(folder: Path, plan: Plan, rates: Iterable[Rate]) -> list[Correction]:
    """Of every rate whose judge knows its errors on such frames."""
    errors = known_errors(folder)
    found = []
    for rate in rates:
        kind = kind_of(rate.view.world, plan)
        counts = errors.get(rate.view.judge, {}).get(kind)
        if counts is not None and rate.success.value is not None:
            called = round(rate.success.value * rate.success.n)
            estimate = corrected_rate(called, rate.success.n, **counts.to_dict(), level=rate.success.level)
            found.append(Correction(rate.view, rate.policy, kind, estimate))
    return found


def known_errors(folder: Path) -> dict[str, Mapping[str, JudgeErrors]]:
    """Judge -> kind of frames -> counts, under its name (where that has one version) and under name@version."""
    found: dict[str, Mapping[str, JudgeErrors]] = {}
    told = [r.content["judge"] for r in RECEIPTS.read(folder) if "judge" in r.content]
    names = [about["name"] for about in told]
    for about in told:
        errors = {kind: JudgeErrors(**counts) for kind, counts in about.get(ERRORS, {}).items()}
        found[f"{about['name']}@{about['version']}"] = errors
        if names.count(about["name"]) == 1:
            found[about["name"]] = errors
    return found


def kind_of(world: str, plan: Plan) -> str:
    """Of the frames in a world or an arm of it: as recorded in the truth's world and where nothing generates them."""
    base = world.removesuffix(SCRIPTS).removesuffix(REPLAY)
    spec = next((w.spec for w in plan.worlds if w.name == base), "")
    is_truth = plan.truth is not None and plan.truth.world == base
    return RECORDED if is_truth or spec.partition(":")[0] in SHOWS else GENERATED
