"""Do predicted success rates go with real ones? Pearson, Spearman, Kendall over policies.

Every number here treats the K policies as the sample; the trial noise inside each rate is `resampling`'s subject.
Policy level and (policy x task) cell level are separate calls: pooled cells are not independent.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, permutation_test, rankdata

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_count, as_level, as_vectors, check_choice
from reverie.stats.pvalues import ALTERNATIVES, Alternative, PValue
from reverie.stats.resampling import Statistic, too_few

CorrelationKind: TypeAlias = Literal["pearson", "spearman", "kendall"]

# Two points always correlate +-1, so a correlation of fewer than three policies says nothing.
MIN_POLICIES = 3
# 8! = 40,320 permutations are enumerated; 9! = 362,880 are not.
MAX_EXACT = 8


@dataclass(frozen=True)
class DropOneRange:
    """Lowest and highest correlation when one policy is left out, and which one (its index)."""

    low: float | None
    high: float | None
    low_without: int | None
    high_without: int | None
    n: int
    method: str
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)


def correlation(
    predicted: ArrayLike, real: ArrayLike, kind: CorrelationKind = "pearson", level: float = 0.95
) -> Estimate:
    """Correlation of [K] predicted with [K] real rates, with a Fisher-z interval over policies.

    tanh(atanh(r) +- z se), se^2 = 1 / (K - 3) for Pearson (Fisher 1921), (1 + r^2 / 2) / (K - 3) for Spearman
    (Bonett & Wright 2000, Psychometrika 65, 23-28), .437 / (K - 4) for Kendall's tau-b (Fieller, Hartley & Pearson
    1957, Biometrika 44, 470-481; derived for |tau| < .8 without ties). `n` is K.

    Absent below three policies and for a constant side, with the reason; an interval is absent where se is undefined
    and at |r| = 1, where z is infinite. Raises ValueError for values that are not finite or lists that do not match.
    """
    first, second = as_vectors(predicted, real)
    check_choice("kind", kind, tuple(CORRELATIONS))
    k, level = len(first), as_level(level)
    method = f"{_LABELS[kind]} over policies, Fisher z"
    reason = _undefined(first, second)
    if reason is not None:
        return Estimate.absent(k, method, level, reason)
    r = float(CORRELATIONS[kind].values(first, second))
    spare = k - (4 if kind == "kendall" else 3)
    if spare < 1:
        return Estimate(r, None, None, k, method, level, f"no interval: {k} policies are too few for Fisher z")
    if abs(r) > 1 - 1e-12:
        return Estimate(r, None, None, k, method, level, "no interval: Fisher z is infinite at |r| = 1")
    factor = {"pearson": 1.0, "spearman": 1 + r**2 / 2, "kendall": 0.437}[kind]
    reach = norm.ppf((1 + level) / 2) * np.sqrt(factor / spare)
    low, high = np.tanh(np.arctanh(r) + np.array([-reach, reach]))
    return Estimate(r, float(low), float(high), k, method, level)


def drop_one_range(predicted: ArrayLike, real: ArrayLike, kind: CorrelationKind = "pearson") -> DropOneRange:
    """How far one policy carries the correlation: its range over the K ways to leave one of [K] policies out.

    Ways that leave a constant side have no correlation; they are left out and counted in `method`. Absent below four
    policies (three must remain). Raises ValueError as `correlation`.
    """
    first, second = as_vectors(predicted, real)
    check_choice("kind", kind, tuple(CORRELATIONS))
    k = len(first)
    method = f"{_LABELS[kind]} over policies, one left out"
    if k <= MIN_POLICIES:
        return DropOneRange(None, None, None, None, k, method, too_few(k, MIN_POLICIES + 1))
    kept = np.array([np.delete(np.arange(k), i) for i in range(k)])  # [K, K - 1]
    values = CORRELATIONS[kind].values(first[kept], second[kept])  # [K]
    missing = int(np.isnan(values).sum())
    if missing == k:
        return DropOneRange(None, None, None, None, k, method, _undefined(first, second))
    if missing:
        method += f", {missing} without a correlation"
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    return DropOneRange(float(values[low]), float(values[high]), low, high, k, method)


def permutation_p(
    predicted: ArrayLike,
    real: ArrayLike,
    kind: CorrelationKind = "pearson",
    alternative: Alternative = "greater",
    draws: int = 100_000,
    seed: int = 0,
) -> PValue:
    """The chance of so large a correlation of [K] and [K] if the prediction ignored which policy is which.

    Exact over all K! pairings up to K = 8 (one-sided p is at least 1 / K!), else Monte Carlo with `draws` pairings,
    (hits + 1) / (draws + 1) (Phipson & Smyth 2010); `method` says which. Two-sided is twice the smaller tail (scipy).
    Absent where the correlation is. Raises ValueError as `correlation`.
    """
    first, second = as_vectors(predicted, real)
    check_choice("kind", kind, tuple(CORRELATIONS))
    check_choice("alternative", alternative, ALTERNATIVES)
    draws, seed, k = as_count("draws", draws, minimum=100), as_count("seed", seed), len(first)
    exact = k <= MAX_EXACT
    how = "exact, all pairings" if exact else f"Monte Carlo, {draws} draws, seed {seed}"
    method = f"permutation of policies, {_LABELS[kind]}, {how}"
    reason = _undefined(first, second)
    if reason is not None:
        return PValue(None, k, method, alternative, reason)

    def statistic(x: FloatArray, axis: int) -> FloatArray:
        # Equal correlations differ in the last digits with the order of summation; they must count as equal.
        return np.round(CORRELATIONS[kind].values(np.moveaxis(x, axis, -1), second), 12)

    result = permutation_test(
        (first,),
        statistic,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=np.inf if exact else draws,
        batch=2_000,
        alternative=alternative,
        rng=np.random.default_rng(seed),
    )
    return PValue(float(result.pvalue), k, method, alternative)


def pearson_values(first: FloatArray, second: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]; nan where a side is constant."""
    x = first - first.mean(-1, keepdims=True)
    y = second - second.mean(-1, keepdims=True)
    scale = np.sqrt((x * x).sum(-1) * (y * y).sum(-1))
    defined = ~(_constant(first) | _constant(second))
    ratio = np.divide((x * y).sum(-1), scale, out=np.full(np.shape(defined), np.nan), where=defined)
    return np.asarray(np.clip(ratio, -1, 1))


def spearman_values(first: FloatArray, second: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]: Pearson of mid-ranks; nan where a side is constant."""
    return pearson_values(rankdata(first, axis=-1), rankdata(second, axis=-1))


def kendall_values(first: FloatArray, second: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]: tau-b (Kendall 1945); nan where a side is constant."""
    x = np.sign(first[..., :, None] - first[..., None, :])  # [..., K, K]
    y = np.sign(second[..., :, None] - second[..., None, :])
    scale = np.sqrt((x * x).sum((-2, -1)) * (y * y).sum((-2, -1)))
    return np.asarray(np.divide((x * y).sum((-2, -1)), scale, out=np.full(np.shape(scale), np.nan), where=scale > 0))


# Trial noise lowers a correlation, so its bootstrap draws need the bias correction (measured in `resampling`).
CORRELATIONS: dict[str, Statistic] = {
    "pearson": Statistic("Pearson r", pearson_values, "bias_corrected", MIN_POLICIES),
    "spearman": Statistic("Spearman rho", spearman_values, "bias_corrected", MIN_POLICIES),
    "kendall": Statistic("Kendall tau-b", kendall_values, "bias_corrected", MIN_POLICIES),
}
_LABELS = {kind: statistic.name for kind, statistic in CORRELATIONS.items()}


def _constant(values: FloatArray) -> NDArray[np.bool_]:
    """[..., K] -> [...] bool."""
    return np.asarray(np.ptp(values, axis=-1) == 0)


def _undefined(first: FloatArray, second: FloatArray) -> str | None:
    """Why there is no correlation, or None."""
    if len(first) < MIN_POLICIES:
        return too_few(len(first), MIN_POLICIES)
    for name, side in (("predicted", first), ("real", second)):
        if _constant(side):
            return f"{name} is constant ({side[0]:.6g} for every policy)"
    return None
