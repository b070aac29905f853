"""Two policies on different scenes: Boschloo's test, and the difference of their success rates.

For a number of trials fixed beforehand. Where both ran the same scenes, `paired` is stronger.
"""

from scipy.stats import boschloo_exact
from statsmodels.stats.proportion import confint_proportions_2indep

from reverie.core.estimate import Estimate
from reverie.stats.arguments import as_level, as_successes, check_choice
from reverie.stats.pvalues import ALTERNATIVES, Alternative, PValue

_FIRST = ("first_successes", "first_n")
_SECOND = ("second_successes", "second_n")


def boschloo(
    first_successes: int, first_n: int, second_successes: int, second_n: int, alternative: Alternative = "two-sided"
) -> PValue:
    """Boschloo's exact unconditional test that two success rates are equal; never less powerful than Fisher's.

    Boschloo (1970), Stat. Neerl. 24(1), by scipy (columns are groups, row 0 successes; two-sided is twice the smaller
    tail). `greater`: the first is better. `n` counts trials of both; absent where either has none.
    Raises ValueError for counts that are not integers, are negative, or successes > n.
    """
    k_1, n_1 = as_successes(first_successes, first_n, _FIRST)
    k_2, n_2 = as_successes(second_successes, second_n, _SECOND)
    check_choice("alternative", alternative, ALTERNATIVES)
    method = f"Boschloo exact, {k_1}/{n_1} against {k_2}/{n_2}"
    if n_1 == 0 or n_2 == 0:
        return PValue(None, n_1 + n_2, method, alternative, "no trials on one side")
    if k_1 + k_2 in (0, n_1 + n_2):
        # All outcomes equal: every table is at least as extreme. The optimiser inside scipy need not find exactly 1.
        return PValue(1.0, n_1 + n_2, method, alternative)
    p = float(boschloo_exact([[k_1, k_2], [n_1 - k_1, n_2 - k_2]], alternative=alternative).pvalue)
    return PValue(min(p, 1.0), n_1 + n_2, method, alternative)


def unpaired_difference(
    first_successes: int, first_n: int, second_successes: int, second_n: int, level: float = 0.95
) -> Estimate:
    """Success rate of the first minus that of the second, with Newcombe's hybrid score interval.

    Newcombe (1998), Stat. Med. 17, 873-890, method 10, by statsmodels. `n` counts trials of both; absent where either
    has none. Raises ValueError as `boschloo`.
    """
    k_1, n_1 = as_successes(first_successes, first_n, _FIRST)
    k_2, n_2 = as_successes(second_successes, second_n, _SECOND)
    level = as_level(level)
    method = "difference of unpaired rates (first - second), Newcombe hybrid score, over trials"
    if n_1 == 0 or n_2 == 0:
        return Estimate.absent(n_1 + n_2, method, level, "no trials on one side")
    low, high = confint_proportions_2indep(k_1, n_1, k_2, n_2, method="newcomb", compare="diff", alpha=1 - level)
    return Estimate(k_1 / n_1 - k_2 / n_2, float(low), float(high), n_1 + n_2, method, level)
