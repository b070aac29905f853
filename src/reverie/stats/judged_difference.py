"""Differences of success rates behind a judge that errs alike for all: corrected, the matrix's own uncertainty carried.

A policy of success rate p is called successful at p (Se + Sp - 1) + 1 - Sp. So two policies' called rates differ by their true
difference times Se + Sp - 1, and every common correction is a straight line that rises: tests of "no difference", letters,
Pearson, Spearman, Kendall and MMRV (of real gaps) are the same before and after it, and so are their intervals. What changes
is what has a size: rates, differences, the bias.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from scipy.stats import t as student_t

from reverie.core.estimate import Estimate
from reverie.stats.arguments import as_level, as_rates, as_successes
from reverie.stats.intervals import clopper_pearson
from reverie.stats.unpaired import unpaired_difference


def youden_index(
    true_positives: int, n_successes: int, true_negatives: int, n_failures: int, level: float = 0.95
) -> Estimate:
    """Sensitivity + specificity - 1 (Youden 1950, Cancer 3, 32-35): 1 for a judge that never errs, 0 for one that guesses.

    It is the difference of two independent rates, how often successes and how often failures are called successes, and has
    Newcombe's interval for that. `n` counts labelled cases; absent without successes or without failures. Raises
    ValueError for counts that are no counts.
    """
    tp, p = as_successes(true_positives, n_successes, ("true_positives", "n_successes"))
    tn, q = as_successes(true_negatives, n_failures, ("true_negatives", "n_failures"))
    found = unpaired_difference(tp, p, q - tn, q, level)
    method = f"sensitivity {tp}/{p} + specificity {tn}/{q} - 1, Newcombe hybrid score, over labelled cases"
    if found.value is None:
        return Estimate.absent(p + q, method, found.level, "no labelled successes or failures")
    return Estimate(found.value, found.low, found.high, p + q, method, found.level)


def corrected_difference(
    difference: Estimate, true_positives: int, n_successes: int, true_negatives: int, n_failures: int
) -> Estimate:
    """The true difference of success rates of which the judge's calls show `difference`, paired or not: over Se + Sp - 1.

    Interval of a ratio of two independent estimates from the interval of each (MOVER: Donner & Zou 2012, Stat. Methods Med.
    Res. 21, 347-359; here for a difference of either sign), at the level of `difference`, cut to [-1, 1]. `n` is that of
    `difference`. Where the interval of Se + Sp - 1 reaches 0 the judge is not known to tell success from failure: absent.
    """
    judge = youden_index(true_positives, n_successes, true_negatives, n_failures, difference.level)
    method = f"{difference.method}, over the judge's sensitivity {true_positives}/{n_successes} + specificity {true_negatives}/{n_failures} - 1 (MOVER)"  # fmt: skip
    if difference.value is None or difference.low is None or difference.high is None:
        reason = difference.reason or "the observed difference has no interval"
        return Estimate.absent(difference.n, method, difference.level, reason)
    if judge.value is None or judge.low is None or judge.high is None or judge.low <= 0:
        return Estimate.absent(difference.n, method, difference.level, _uninformative(judge))
    seen, around = (difference.value, difference.low, difference.high), (judge.value, judge.low, judge.high)
    low, high = _lower_ratio(seen, around), -_lower_ratio((-seen[0], -seen[2], -seen[1]), around)
    value = _cut(difference.value / judge.value)
    return Estimate(value, _cut(low), _cut(high), difference.n, method, difference.level)


def corrected_difference_sequence(
    difference: Estimate,
    true_positives: int,
    n_successes: int,
    true_negatives: int,
    n_failures: int,
    level: float = 0.95,
) -> Estimate:
    """As `corrected_difference`, peeking-safe: every true difference that a called difference within the interval of
    `difference` and rates of errors within Clopper-Pearson's leave.

    Ours: half of what may go wrong goes to `difference`, which must be a confidence sequence at (1 + level) / 2, a quarter
    to either rate (Bonferroni). The matrix was measured before, and is not looked at again. Raises ValueError for another level.
    """
    if not math.isclose(difference.level, (1 + level) / 2):
        raise ValueError(f"difference: found level {difference.level}, expected {(1 + level) / 2} for {level} in all")
    method = f"{difference.method}, over the judge's sensitivity {true_positives}/{n_successes} + specificity {true_negatives}/{n_failures} - 1 (Bonferroni)"  # fmt: skip
    se, sp = judge_limits(true_positives, n_successes, true_negatives, n_failures, level)
    least, most = se[0] + sp[0] - 1, se[1] + sp[1] - 1
    if difference.value is None or difference.low is None or difference.high is None:
        return Estimate.absent(difference.n, method, level, difference.reason or "no observed difference")
    if least <= 0:
        judge = youden_index(true_positives, n_successes, true_negatives, n_failures, level)
        return Estimate.absent(difference.n, method, level, _uninformative(judge, (least, most)))
    low, high = (
        min(difference.low / least, difference.low / most),
        max(difference.high / least, difference.high / most),
    )
    seen = true_positives / n_successes + true_negatives / n_failures - 1
    return Estimate(_cut(difference.value / seen), _cut(low), _cut(high), difference.n, method, level)


def corrected_bias(
    predicted: ArrayLike,
    real: ArrayLike,
    true_positives: int,
    n_successes: int,
    true_negatives: int,
    n_failures: int,
    level: float = 0.95,
) -> Estimate:
    """Mean of predicted - real over [K] policies, the predicted rates [K] being a judge's, corrected; the real ones are true.

    Ours: Student's t over policies, as `bias`, and what is not known of the matrix beside it (delta method, one pseudo-case
    for each of its cells, as in `corrected_rate`), as the root of the sum of squares. Rates are not cut to [0, 1] one by one: that
    would bias their mean. `n` is K; absent at K = 0, and where `corrected_difference` is; no interval at K = 1.
    """
    called, true = as_rates("predicted", predicted), as_rates("real", real)
    if called.shape != true.shape:
        raise ValueError(f"predicted, real: found {len(called)} and {len(true)} rates, expected one each per policy")
    k, level = len(called), as_level(level)
    judge = youden_index(true_positives, n_successes, true_negatives, n_failures, level)
    method = f"mean of corrected predicted - real over policies, Student t and the judge's sensitivity {true_positives}/{n_successes}, specificity {true_negatives}/{n_failures}"  # fmt: skip
    if k == 0:
        return Estimate.absent(0, method, level, "no policies")
    if judge.value is None or judge.low is None or judge.low <= 0:
        return Estimate.absent(k, method, level, _uninformative(judge))
    corrected = (called + true_negatives / n_failures - 1) / judge.value
    mean = float((corrected - true).mean())
    if k == 1:
        return Estimate(mean, None, None, 1, method, level, "no interval: one policy has no spread")
    spread = float((corrected - true).std(ddof=1)) / math.sqrt(k)
    of_judge = _of_matrix(
        float(corrected.mean()), judge.value, (true_positives, n_successes), (true_negatives, n_failures)
    )
    reach = math.hypot(student_t.ppf((1 + level) / 2, k - 1) * spread, norm.ppf((1 + level) / 2) * of_judge)
    return Estimate(mean, mean - reach, mean + reach, k, method, level)


def judge_limits(
    true_positives: int, n_successes: int, true_negatives: int, n_failures: int, level: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of sensitivity and of specificity, each wrong with chance (1 - level) / 4 at most; [0, 1] where nothing was labelled."""
    each = 1 - (1 - level) / 4
    found = (clopper_pearson(true_positives, n_successes, each), clopper_pearson(true_negatives, n_failures, each))
    se, sp = ((0.0 if e.low is None else e.low, 1.0 if e.high is None else e.high) for e in found)
    return se, sp


def _of_matrix(rate: float, youden: float, positives: tuple[int, int], negatives: tuple[int, int]) -> float:
    """Standard error of a corrected mean rate by the matrix alone."""
    (n_se, se), (n_sp, sp) = ((m + 2, (right + 1) / (m + 2)) for right, m in (positives, negatives))
    return float(np.sqrt(rate**2 * se * (1 - se) / n_se + (1 - rate) ** 2 * sp * (1 - sp) / n_sp) / youden)


def _uninformative(judge: Estimate, limits: tuple[float, float] | None = None) -> str:
    if judge.value is None:
        return str(judge.reason)
    low, high = limits or (judge.low or 0.0, judge.high or 0.0)
    return (
        f"the judge is not known to tell success from failure: sensitivity + specificity - 1 is {judge.value:.2f} "
        f"[{low:.2f}, {high:.2f}], expected above 0; label more held-out episodes, or take another judge"
    )


def _lower_ratio(above: tuple[float, float, float], below: tuple[float, float, float]) -> float:
    """The lower limit of a ratio; (value, low, high) of either side, `below` positive throughout.

    It is the r at which the lower limit of above - r below, sqrt((above - low)^2 + r^2 s^2) under its value, is 0; s is the reach of
    `below` upwards where r is positive, downwards where it is negative.
    """
    (x, x_low, _), (y, y_low, y_high) = above, below
    reach = y_high - y if x_low >= 0 else y - y_low
    a, b, c = y**2 - reach**2, x * y, x_low * (2 * x - x_low)
    root = math.sqrt(max(b * b - a * c, 0.0))
    if x_low < 0:
        return (b - root) / a
    return c / (b + root) if c > 0 else 0.0


def _cut(value: float) -> float:
    return min(1.0, max(-1.0, value))
