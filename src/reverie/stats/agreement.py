"""Does the prediction call each episode as reality does? Accuracy against the majority class, and Cohen's kappa.

Works on pairs of 0/1 outcomes of the same episodes. Episodes of one policy are alike, so each number also has a
version that resamples whole policies; with fewer than about ten policies that interval is itself too narrow.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_level, as_outcome_pairs, as_outcomes
from reverie.stats.intervals import wilson
from reverie.stats.paired import exact_mcnemar, paired_table
from reverie.stats.pvalues import PValue
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling, resampled_totals, summarise


@dataclass(frozen=True)
class Agreement:
    """All there is to say of N pairs of outcomes. The clustered versions are None where no policies were given."""

    accuracy: Estimate
    majority: float | None
    beats_majority: PValue
    kappa: Estimate
    clustered_accuracy: Estimate | None = None
    clustered_kappa: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        """Nested fields by name, ready for JSON."""
        return asdict(self)


def agreement(
    predicted: ArrayLike,
    real: ArrayLike,
    policies: Sequence[Hashable] | None = None,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Agreement:
    """Every measure of this file for [N] predicted and [N] real 0/1 outcomes and, where given, [N] policy names.

    Raises ValueError for outcomes other than 0/1 or lists that do not match.
    """
    return Agreement(
        accuracy(predicted, real, resampling.level),
        majority_accuracy(real),
        accuracy_beats_majority(predicted, real),
        kappa(predicted, real, resampling=resampling),
        None if policies is None else clustered_accuracy(predicted, real, policies, resampling),
        None if policies is None else kappa(predicted, real, policies, resampling),
    )


def accuracy(predicted: ArrayLike, real: ArrayLike, level: float = 0.95) -> Estimate:
    """Share of the N episodes called as they were, with Wilson's interval; absent at N = 0."""
    first, second = as_outcome_pairs(predicted, real, ("predicted", "real"))
    return wilson(int(np.sum(first == second)), len(first), as_level(level))


def majority_accuracy(real: ArrayLike) -> float | None:
    """Accuracy of always saying the commoner outcome of [N] real ones; None at N = 0."""
    outcomes = as_outcomes("real", real)
    return None if outcomes.size == 0 else float(max(outcomes.mean(), 1 - outcomes.mean()))


def accuracy_beats_majority(predicted: ArrayLike, real: ArrayLike) -> PValue:
    """One-sided exact McNemar test that the prediction is right more often than the majority class.

    Paired, against the constant predictor on the same N episodes. The majority class is read off these very episodes,
    which favours it; at a tie of classes the larger p of the two is taken. So the test errs towards not rejecting.
    It takes episodes as independent: with few policies, believe the clustered intervals first.
    """
    first, second = as_outcome_pairs(predicted, real, ("predicted", "real"))
    n, ones = len(second), int(second.sum())
    constants = [value for value, count in ((1.0, ones), (0.0, n - ones)) if 2 * count >= n]
    right = (first == second).astype(np.float64)
    tests = [exact_mcnemar(paired_table(right, second == value), "greater") for value in constants]
    worst = max(tests, key=lambda test: -1.0 if test.value is None else test.value)
    return PValue(worst.value, n, f"{worst.method}, prediction against majority class", "greater", worst.reason)


def clustered_accuracy(
    predicted: ArrayLike, real: ArrayLike, policies: Sequence[Hashable], resampling: Resampling = DEFAULT_RESAMPLING
) -> Estimate:
    """Accuracy over [N] episodes with an interval from resampling whole policies; `n` counts policies."""
    tables = _tables(predicted, real, policies)
    return _bootstrapped(tables, _accuracy_values, "accuracy", resampling)


def kappa(
    predicted: ArrayLike,
    real: ArrayLike,
    policies: Sequence[Hashable] | None = None,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Estimate:
    """Cohen's kappa of [N] predicted and [N] real outcomes, with an expanded percentile bootstrap interval.

    (p_o - p_e) / (1 - p_e), p_o the observed agreement and p_e that of independent calls with the same margins (Cohen
    1960, Educ. Psychol. Meas. 20, 37-46). One constant side gives 0 by this definition, without an interval (no
    resample differs); both constant and equal leaves it undefined, and absent. Resamples episodes (`n` counts
    them) or, where `policies` [N] are named, whole policies (`n` counts those).
    Raises ValueError for outcomes other than 0/1 or unequal lengths.
    """
    tables = _tables(predicted, real, policies)
    return _bootstrapped(tables, _kappa_values, "Cohen kappa", resampling, by_policy=policies is not None)


def _tables(predicted: ArrayLike, real: ArrayLike, policies: Sequence[Hashable] | None) -> FloatArray:
    """[C, 4]: per policy (or of all episodes), how many were called (0, 0), (0, 1), (1, 0), (1, 1), predicted first."""
    first, second = as_outcome_pairs(predicted, real, ("predicted", "real"))
    names: Sequence[Hashable] = [None] * len(first) if policies is None else policies
    if len(names) != len(first):
        raise ValueError(f"policies: found {len(names)} names for {len(first)} episodes, expected one per episode")
    index = {name: row for row, name in enumerate(dict.fromkeys(names))}
    rows = np.array([index[name] for name in names], dtype=np.int64)
    cells = 4 * rows + (2 * first + second).astype(np.int64)
    return np.bincount(cells, minlength=4 * len(index)).reshape(-1, 4).astype(np.float64)


def _bootstrapped(
    tables: FloatArray,
    values: Callable[[FloatArray], FloatArray],
    label: str,
    resampling: Resampling,
    by_policy: bool = True,
) -> Estimate:
    """Estimate of a statistic of pooled tables, `[..., 4] -> [...]`, by resampling policies or episodes."""
    pooled = tables.sum(0)  # [4]
    n_episodes = int(pooled.sum())
    n = len(tables) if by_policy else n_episodes
    method = f"{label} over {n_episodes} episodes, bootstrap of {'policies' if by_policy else 'episodes'}"
    if n_episodes == 0:
        return Estimate.absent(0, method, resampling.level, "no episodes")
    observed = float(values(pooled))
    if by_policy and n == 1 and not np.isnan(observed):
        return Estimate(observed, None, None, 1, method, resampling.level, "no interval: one policy")
    rng = np.random.default_rng(resampling.seed)
    if by_policy:
        drawn = resampled_totals(tables, resampling.draws, rng)  # [D, 4]
    else:
        drawn = rng.multinomial(n_episodes, pooled / n_episodes, size=resampling.draws).astype(np.float64)
    return summarise(observed, values(drawn), n, method, "expanded", resampling)


def _accuracy_values(tables: FloatArray) -> FloatArray:
    """[..., 4] -> [...]."""
    return np.asarray((tables[..., 0] + tables[..., 3]) / tables.sum(-1))


def _kappa_values(tables: FloatArray) -> FloatArray:
    """[..., 4] -> [...]; nan where both sides are constant and equal."""
    share = tables / tables.sum(-1, keepdims=True)
    agreed = share[..., 0] + share[..., 3]
    predicted_one, real_one = share[..., 2] + share[..., 3], share[..., 1] + share[..., 3]
    by_chance = predicted_one * real_one + (1 - predicted_one) * (1 - real_one)
    room = 1 - by_chance
    return np.asarray(np.divide(agreed - by_chance, room, out=np.full(np.shape(room), np.nan), where=room > 1e-12))
