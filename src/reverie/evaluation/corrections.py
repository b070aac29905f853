"""What a judge gets wrong, carried into what rests on it: rates, differences and the bias, with the wider interval.

Errors that are common to all policies of a view change nothing else: who is ahead, tests of "no difference", correlations and
MMRV are the same before and after (`stats.judged_difference`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reverie.core import Estimate
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.rates import Rate
from reverie.stats import corrected_bias, corrected_rate


@dataclass(frozen=True)
class Correction:
    """The success rate of one policy in one view, corrected for the judge's errors on frames of this kind."""

    view: View
    policy: str
    frames: str
    success: Estimate


def corrections(table: Outcomes, rates: Iterable[Rate]) -> list[Correction]:
    """Of every rate whose judge knows its errors on such frames."""
    found = []
    for rate in rates:
        known = table.errors.get(rate.view)
        if known is not None and rate.success.value is not None:
            called = round(rate.success.value * rate.success.n)
            counts = known.counts.to_dict()
            estimate = corrected_rate(called, rate.success.n, **counts, level=rate.success.level)
            found.append(Correction(rate.view, rate.policy, known.frames, estimate))
    return found


def bias_corrected(
    table: Outcomes, view: View, truth: View, predicted: Sequence[float], true: Sequence[float]
) -> Estimate | None:
    """The mean of predicted - true over policies with the predicted rates corrected; None where their judge does not know its
    errors. Absent where the truth itself is what a judge says that errs."""
    known = table.errors.get(view)
    if known is None:
        return None
    if truth in table.errors:
        reason = f"the truth is what {truth.judge} says, which errs itself"
        return Estimate.absent(len(true), "mean of corrected predicted - true over policies", 0.95, reason)
    return corrected_bias(predicted, true, **known.counts.to_dict())


def words(judge: str, known: Erring | None) -> str:
    """What a reader of a view's numbers must know of its judge."""
    if known is None:
        return f"How often {judge} errs was not measured: nothing is corrected for it"
    c = known.counts
    return (
        f"corrected for the errors of {judge} on {known.frames} frames (right about {c.true_positives} of {c.n_successes} "
        f"held-out successes and {c.true_negatives} of {c.n_failures} failures): success, differences and their intervals; "
        "tests and letters need no correction for errors that all policies share"
    )
