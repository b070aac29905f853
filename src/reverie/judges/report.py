"""How good a judge is: confusion, accuracy and the area under the ROC curve, with intervals. Pure functions of verdicts.

A verdict that abstains and a truth that is not known are counted and left out; neither becomes a failure.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from reverie.core import Estimate, ReverieError, Verdict
from reverie.stats import corrected_rate, wilson


@dataclass(frozen=True)
class Confusion:
    """Counts of episodes. sensitivity: share of true successes called successes; specificity: of failures, failures.
    auc: probability that a success is given a higher probability than a failure."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    n_abstained: int
    n_unlabelled: int
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    auc: Estimate

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def confusion(verdicts: Sequence[Verdict], truths: Sequence[bool | None], level: float = 0.95) -> Confusion:
    """One verdict and one truth per episode, in the same order; Wilson intervals."""
    if len(verdicts) != len(truths):
        raise ReverieError(
            f"confusion got {len(verdicts)} verdicts and {len(truths)} truths: give one each per episode"
        )
    pairs = [(v, t) for v, t in zip(verdicts, truths, strict=True) if v.success is not None and t is not None]
    called = np.array([bool(v.success) for v, _ in pairs], dtype=bool)
    true = np.array([bool(t) for _, t in pairs], dtype=bool)
    tp, fp = int((called & true).sum()), int((called & ~true).sum())
    tn, fn = int((~called & ~true).sum()), int((~called & true).sum())
    return Confusion(
        tp, fp, tn, fn,
        n_abstained=sum(v.success is None for v in verdicts),
        n_unlabelled=sum(t is None for t in truths),
        accuracy=wilson(tp + tn, len(pairs), level),
        sensitivity=wilson(tp, tp + fn, level),
        specificity=wilson(tn, tn + fp, level),
        auc=auc([(v.probability, t) for v, t in pairs], level),
    )  # fmt: skip


def corrected(found: Confusion, called: int, n: int, level: float = 0.95) -> Estimate:
    """True success rate of `n` episodes of which the judge with that confusion called `called` a success, see
    `stats.corrected_rate`. The confusion must be of episodes like these: generated for generated."""
    positives, negatives = found.true_positive + found.false_negative, found.true_negative + found.false_positive
    return corrected_rate(called, n, found.true_positive, positives, found.true_negative, negatives, level)


def confusion_by(
    group: Callable[[int], Hashable], verdicts: Sequence[Verdict], truths: Sequence[bool | None]
) -> dict[Hashable, Confusion]:
    """The same for each value of `group(i)`: by behaviour, by task, real against generated."""
    names = [group(i) for i in range(len(verdicts))]
    rows = {name: [i for i, other in enumerate(names) if other == name] for name in sorted(set(names), key=str)}
    return {k: confusion([verdicts[i] for i in chosen], [truths[i] for i in chosen]) for k, chosen in rows.items()}


def auc(pairs: Sequence[tuple[float | None, bool | None]], level: float = 0.95) -> Estimate:
    """Area under the ROC curve from (probability, truth), ties half; interval of Hanley & McNeil 1982 (equation 2), cut at
    0 and 1. Absent where a class or every probability is missing."""
    method = "Mann-Whitney AUC, Hanley-McNeil interval, over episodes"
    known = [(p, bool(t)) for p, t in pairs if p is not None and t is not None]
    true = np.array([t for _, t in known], dtype=bool)
    n_true, n_false = int(true.sum()), int((~true).sum())
    if not n_true or not n_false:
        return Estimate.absent(len(known), method, level, "needs a success and a failure with a probability")
    ranks = rankdata([p for p, _ in known])
    area = float((ranks[true].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))
    half = _normal_quantile(level) * _standard_error(area, n_true, n_false)
    return Estimate(area, max(0.0, area - half), min(1.0, area + half), len(known), method, level)


def _standard_error(area: float, n_true: int, n_false: int) -> float:
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_true - 1) * (first - area**2) + (n_false - 1) * (second - area**2)
    return float(np.sqrt(max(spread, 0.0) / (n_true * n_false)))


def _normal_quantile(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + level / 2)
