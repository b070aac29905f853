"""The success rate behind a judge that errs: corrected for its confusion matrix, whose own uncertainty is carried.

The judge's errors must have been measured on cases like those that it judges here: generated frames for generated frames.
"""

import math

from scipy.stats import norm

from reverie.core.estimate import Estimate
from reverie.stats.arguments import as_level, as_successes
from reverie.stats.judged_difference import judge_limits
from reverie.stats.sequences import confidence_sequence

# Below this sum of sensitivity and specificity the correction multiplies noise without end.
MIN_YOUDEN = 0.1


def corrected_rate(
    called: int,
    n: int,
    true_positives: int,
    n_successes: int,
    true_negatives: int,
    n_failures: int,
    level: float = 0.95,
) -> Estimate:
    """True success rate of `n` trials of which the judge called `called` a success.

    (t + Sp - 1) / (Se + Sp - 1), cut to [0, 1] (Rogan & Gladen 1978, Am. J. Epidemiol. 107, 71-76); the judge found
    `true_positives` of `n_successes` (Se) and `true_negatives` of `n_failures` (Sp) on labelled cases. Interval of Lang &
    Reiczigel (2014), Prev. Vet. Med. 113, 13-22: Wald on t + z^2 pseudo-trials and one pseudo-case for each cell of
    the confusion matrix, recentred. `n` counts judged trials.

    Absent without trials, without labelled successes and failures, and where Se + Sp is not above 1.1: such a judge
    says next to nothing. Raises ValueError for counts that are no counts.
    """
    k, total = as_successes(called, n, ("called", "n"))
    tp, p = as_successes(true_positives, n_successes, ("true_positives", "n_successes"))
    tn, q = as_successes(true_negatives, n_failures, ("true_negatives", "n_failures"))
    level = as_level(level)
    method = f"Rogan-Gladen over trials, judge's sensitivity {tp}/{p} and specificity {tn}/{q}, Lang-Reiczigel interval"
    if not total or not p or not q:
        return Estimate.absent(total, method, level, "no judged trials, or no labelled successes or failures")
    youden = tp / p + tn / q - 1
    if youden < MIN_YOUDEN:
        reason = (
            f"sensitivity + specificity is {1 + youden:.2f}, expected above {1 + MIN_YOUDEN}: the judge is near chance"
        )
        return Estimate.absent(total, method, level, reason)
    value = _cut((k / total + tn / q - 1) / youden)
    low, high = _lang_reiczigel(k, total, (tp, p), (tn, q), float(norm.ppf((1 + level) / 2)))
    return Estimate(value, low, high, total, method, level)


def corrected_rate_sequence(
    called: int,
    n: int,
    true_positives: int,
    n_successes: int,
    true_negatives: int,
    n_failures: int,
    level: float = 0.95,
) -> Estimate:
    """As `corrected_rate`, peeking-safe: every true rate that a called rate within its confidence sequence and rates of
    errors within Clopper-Pearson's leave.

    Ours: half of what may go wrong goes to the called rate, a quarter to either rate of errors (Bonferroni).
    """
    found = corrected_rate(called, n, true_positives, n_successes, true_negatives, n_failures, level)
    method = found.method.replace("Lang-Reiczigel interval", "Bonferroni over confidence sequence and Clopper-Pearson")
    if found.value is None:
        return Estimate.absent(found.n, method, level, str(found.reason))
    seen = confidence_sequence(called, n, (1 + level) / 2)
    se, sp = judge_limits(true_positives, n_successes, true_negatives, n_failures, level)
    if seen.low is None or seen.high is None or se[0] + sp[0] <= 1:
        return Estimate(found.value, 0.0, 1.0, found.n, method, level)
    # The corrected rate rises with the called one and with specificity, and falls with sensitivity.
    low, high = (seen.low + sp[0] - 1) / (se[1] + sp[0] - 1), (seen.high + sp[1] - 1) / (se[0] + sp[1] - 1)
    return Estimate(found.value, _cut(low), _cut(high), found.n, method, level)


def _lang_reiczigel(
    k: int, n: int, positives: tuple[int, int], negatives: tuple[int, int], z: float
) -> tuple[float, float]:
    """The two limits in [0, 1]; all of it where the padded judge is no better than chance."""
    n_t, t = n + z**2, (k + z**2 / 2) / (n + z**2)
    (n_se, se), (n_sp, sp) = ((m + 2, (right + 1) / (m + 2)) for right, m in (positives, negatives))
    youden = se + sp - 1
    if youden <= 0:
        return 0.0, 1.0
    rate = (t + sp - 1) / youden
    se_term, sp_term = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * z**2 * (rate * se_term - (1 - rate) * sp_term)
    spread = math.sqrt(t * (1 - t) / n_t + (1 - rate) ** 2 * sp_term + rate**2 * se_term) / youden
    return _cut(rate + shift - z * spread), _cut(rate + shift + z * spread)


def _cut(value: float) -> float:
    return min(1.0, max(0.0, value))
