"""Tests that may be looked at after every trial: is one of two policies better?

An e-value multiplies bets against "not better" that cost nothing on average where that is true; the product ever reaches
1 / alpha with probability at most alpha (Ville 1939). So 1 / (the largest e-value so far) is a p-value at any time, and the
trials may stop at any time. Order matters: outcomes come in an order that was fixed before they were known.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln
from scipy.stats import beta

from reverie.stats.arguments import FloatArray, as_outcome_pairs, as_outcomes, check_choice
from reverie.stats.pvalues import ALTERNATIVES, Alternative, PValue


def sequential_paired(first: ArrayLike, second: ArrayLike, alternative: Alternative = "two-sided") -> PValue:
    """Peeking-safe p of two policies on the same scenes: [N] and [N] outcomes in order. `n` counts pairs.

    `greater`: the first is better. Two-sided bets half on either side, so the larger of them says which is better.
    """
    one, two = as_outcome_pairs(first, second, ("first", "second"))
    return _at_any_time(paired_evidence(one, two, alternative), len(one), "discordant pairs", "no pairs", alternative)


def sequential_unpaired(first: ArrayLike, second: ArrayLike, alternative: Alternative = "two-sided") -> PValue:
    """Peeking-safe p of two policies on different scenes: [N] and [M] outcomes in order. `n` counts the trials used.

    The i-th trials of both are looked at together; those that the longer side has left wait.
    """
    evidence = unpaired_evidence(first, second, alternative)
    return _at_any_time(evidence, 2 * len(evidence), "blocks of a trial each", "no trials on one side", alternative)


def paired_evidence(first: ArrayLike, second: ArrayLike, alternative: Alternative = "two-sided") -> FloatArray:
    """Log e-value after each of [N] pairs.

    With b and c discordant pairs so far, 2^(b+c) B(b+1, c+1): Robbins' uniform mixture (1970, Ann. Math. Stat. 41) against
    1/2; one-sided, the prior is uniform over the alternative's half. Pairs that agree change nothing.
    """
    one, two = as_outcome_pairs(first, second, ("first", "second"))
    return mixture_evidence(np.cumsum(one > two), np.cumsum(one < two), alternative)


def mixture_evidence(b: ArrayLike, c: ArrayLike, alternative: Alternative = "two-sided") -> FloatArray:
    """Log e-value of `paired_evidence` from b and c discordant pairs, arrays of one shape."""
    check_choice("alternative", alternative, ALTERNATIVES)
    won, lost = np.asarray(b), np.asarray(c)
    both_sides = (won + lost) * np.log(2) + betaln(won + 1, lost + 1)
    if alternative == "two-sided":
        return np.asarray(both_sides)
    half = beta.logsf if alternative == "greater" else beta.logcdf
    return np.asarray(both_sides + np.log(2) + half(0.5, won + 1, lost + 1))


def unpaired_evidence(first: ArrayLike, second: ArrayLike, alternative: Alternative = "two-sided") -> FloatArray:
    """Log e-value after each block of one trial of either policy, [min(N, M)].

    Turner, Ly & Grunwald (2024), J. Stat. Plan. Inference 230, 106116: the outcomes are predicted with posterior means
    from Beta(2, 1) for the better and Beta(1, 2) for the other, and both with the mean of these two under the null, which
    is the null's best reply to them; nothing is bet while the means are ordered as the null has them. Two-sided is the
    average of both sides. Raises ValueError for outcomes other than 0/1.
    """
    one, two = as_outcomes("first", first), as_outcomes("second", second)
    check_choice("alternative", alternative, ALTERNATIVES)
    n = min(len(one), len(two))
    if alternative == "greater":
        return _bets(one[:n], two[:n])
    if alternative == "less":
        return _bets(two[:n], one[:n])
    return np.asarray(np.logaddexp(_bets(one[:n], two[:n]), _bets(two[:n], one[:n])) - np.log(2))


def _bets(better: FloatArray, other: FloatArray) -> FloatArray:
    """[..., N], [..., N] -> [..., N]: log e-value against "the first is not better"."""
    seen = np.arange(better.shape[-1])
    high = (2 + np.cumsum(better, -1) - better) / (3 + seen)  # of the trials before
    low = (1 + np.cumsum(other, -1) - other) / (3 + seen)
    null = (high + low) / 2
    gains = _log_likelihood(better, high) - _log_likelihood(better, null)
    gains += _log_likelihood(other, low) - _log_likelihood(other, null)
    return np.asarray(np.cumsum(np.where(high > low, gains, 0.0), -1))


def _log_likelihood(outcomes: FloatArray, rate: FloatArray) -> FloatArray:
    return np.where(outcomes == 1, np.log(rate), np.log1p(-rate))


def _at_any_time(evidence: FloatArray, n: int, what: str, nothing: str, alternative: Alternative) -> PValue:
    if not len(evidence):
        return PValue(None, 0, f"e-value over {what}, peeking-safe", alternative, nothing)
    largest = max(float(evidence.max()), 0.0)
    method = f"e-value over {what}, {np.exp(min(largest, 700)):.3g} at its largest, peeking-safe"
    return PValue(float(np.exp(-largest)), n, method, alternative)
