"""What judges get wrong, as their receipts tell it: counts on held-out episodes, by the kind of frames.

A judge that does not know its errors has no counts, and nothing that rests on it is corrected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reverie.evaluation.blocks import REPLAY, SCRIPTS
from reverie.evaluation.plan import Plan
from reverie.judges.errors import ERRORS, GENERATED, RECORDED, JudgeErrors
from reverie.trials import RECEIPTS, Receipt

SHOWS = ("physics", "recorded")
"""Kinds of worlds whose frames are rendered or recorded, never generated."""
Version = tuple[str, str]
"""A judge's name and version."""


@dataclass(frozen=True)
class Erring:
    """How often the judge of a view errs on frames of this kind."""

    frames: str
    counts: JudgeErrors


def known_errors(folder: Path) -> dict[Version, Mapping[str, JudgeErrors]]:
    """By kind of frames, of all judges of a run."""
    return told_errors(RECEIPTS.read(folder))


def told_errors(receipts: Iterable[Receipt]) -> dict[Version, Mapping[str, JudgeErrors]]:
    """Of two receipts of one version the later one counts, which was measured later."""
    told = [r.content["judge"] for r in receipts if "judge" in r.content]
    return {
        (about["name"], about["version"]): {kind: JudgeErrors(**counts) for kind, counts in about.get(ERRORS, {}).items()}
        for about in told
    }  # fmt: skip


def erring(known: Mapping[Version, Mapping[str, JudgeErrors]], judge: Version, world: str, plan: Plan) -> Erring | None:
    """In a world or an arm of it; None where the judge does not know its errors there."""
    kind = kind_of(world, plan)
    counts = known.get(judge, {}).get(kind)
    return Erring(kind, counts) if counts is not None else None


def kind_of(world: str, plan: Plan) -> str:
    """Of the frames in a world or an arm of it: as recorded in the truth's world and where nothing generates them."""
    base = world.removesuffix(SCRIPTS).removesuffix(REPLAY)
    spec = next((w.spec for w in plan.worlds if w.name == base), "")
    is_truth = plan.truth is not None and plan.truth.world == base
    return RECORDED if is_truth or spec.partition(":")[0] in SHOWS else GENERATED
