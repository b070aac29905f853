"""Rows of `coverage.py` by simulation: every repetition draws its parameters from the row's range, then its data."""

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np
from scipy.special import expit

from coverage_found import Found, Generator, drawn
from reverie.core import Estimate
from reverie.stats import (
    CORRELATIONS,
    PairedTable,
    Resampling,
    Statistic,
    accuracy_beats_majority,
    bias,
    bradley_terry,
    correlation,
    exact_mcnemar,
    holm,
    mmrv_statistic,
    permutation_p,
    trial_bootstrap,
)
from reverie.stats.e_values import unpaired_evidence

ALPHA = 0.05
TRUE_RHO = {
    "pearson": lambda r: r,
    "spearman": lambda r: 6 / np.pi * np.arcsin(r / 2),
    "kendall": lambda r: 2 / np.pi * np.arcsin(r),
}
"""Of two normal variables with Pearson correlation r."""


def resampling(rng: Generator) -> Resampling:
    """Fewer draws than by default: the limits are noisier, not biased."""
    return Resampling(draws=1_000, seed=int(rng.integers(2**31)))


def covers(found: Estimate, truth: float) -> bool | None:
    return None if found.low is None or found.high is None else found.low <= truth <= found.high


def correlations(kind: str, repetitions: int) -> Found:
    few, reach = (8, np.sin(np.pi / 2 * 0.7)) if kind == "kendall" else (5, 0.95)

    def hit(rng: Generator) -> bool | None:
        r, k = rng.uniform(max(-0.9, -reach), reach), int(rng.integers(few, 21))
        x, y = _normal_pair(r, k, rng)
        return covers(correlation(x, y, kind), float(TRUE_RHO[kind](r)))

    return drawn(hit, repetitions)


def _normal_pair(r: float, k: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    x, noise = rng.normal(size=(2, k))
    return x, r * x + np.sqrt(1 - r * r) * noise


def mean_bias(repetitions: int) -> Found:
    def hit(rng: Generator) -> bool | None:
        k, shift = int(rng.integers(4, 13)), rng.uniform(-0.2, 0.2)
        real = rng.uniform(0.2, 0.8, k)
        return covers(bias(real + shift + rng.normal(0, 0.05, k), real), shift)

    return drawn(hit, repetitions)


def bootstraps(interval: Callable[..., Estimate], law: str, fewest: int, truth: float, repetitions: int) -> Found:
    """Of a standard normal or exponential, from `fewest` units to 50."""

    def hit(rng: Generator) -> bool | None:
        n = int(rng.integers(fewest, 51))
        values = rng.normal(size=n) if law == "normal" else rng.exponential(size=n)
        return covers(interval(values, "units", resampling(rng)), truth)

    return drawn(hit, repetitions)


def trials(of: str, repetitions: int) -> Found:
    """True rates of either side are drawn; what is to be covered is the statistic of these."""
    statistic: Statistic = mmrv_statistic() if of == "mmrv" else CORRELATIONS[of]

    def hit(rng: Generator) -> bool | None:
        k, n, r = int(rng.integers(6, 11)), int(rng.integers(20, 101)), rng.uniform(0.4, 0.9)
        predicted, real = (expit(x) for x in _normal_pair(r, k, rng))
        sides = [[(rng.random(n) < p) * 1.0 for p in side] for side in (predicted, real)]
        found = trial_bootstrap(statistic, sides[0], sides[1], resampling=resampling(rng))
        return covers(found, float(statistic.values(predicted, real)))

    return drawn(hit, repetitions)


def calls(interval: Callable[..., Estimate], repetitions: int) -> Found:
    return drawn(_clustered(interval) if "clustered" in interval.__name__ else _kappa(interval), repetitions)


def _clustered(interval: Callable[..., Estimate]) -> Callable[[Generator], bool | None]:
    def hit(rng: Generator) -> bool | None:
        n_policies, mean = int(rng.integers(10, 31)), rng.uniform(0.6, 0.9)
        shape = mean * (1 - mean) / 0.1**2 - 1
        right = rng.random((n_policies, 20)) < rng.beta(mean * shape, (1 - mean) * shape, (n_policies, 1))
        real = rng.integers(0, 2, right.shape)
        predicted = np.where(right, real, 1 - real)
        policies = np.repeat(np.arange(n_policies), 20).tolist()
        return covers(interval(predicted.ravel(), real.ravel(), policies, resampling(rng)), mean)

    return hit


def _kappa(interval: Callable[..., Estimate]) -> Callable[[Generator], bool | None]:
    def hit(rng: Generator) -> bool | None:
        n, right, base = int(rng.integers(50, 201)), rng.uniform(0.6, 0.9), rng.uniform(0.2, 0.8)
        real = (rng.random(n) < base) * 1
        predicted = np.where(rng.random(n) < right, real, 1 - real)
        called = base * right + (1 - base) * (1 - right)
        by_chance = called * base + (1 - called) * (1 - base)
        return covers(interval(predicted, real, resampling=resampling(rng)), (right - by_chance) / (1 - by_chance))

    return hit


def strengths(repetitions: int) -> Found:
    """Success is logistic in policy - scene; the first policy's strength is looked at."""

    def hit(rng: Generator) -> bool | None:
        k, n_scenes = int(rng.integers(3, 7)), int(rng.integers(30, 101))
        truth, scene = rng.uniform(-1.5, 1.5, k), rng.normal(size=(n_scenes, 1))
        outcomes = (rng.random((n_scenes, k)) < expit(truth - scene)) * 1.0
        return covers(bradley_terry(outcomes)[0], float(truth[0] - truth.mean()))

    return drawn(hit, repetitions)


def sequential_unpaired_size(repetitions: int) -> Found:
    def hit(rng: Generator) -> bool:
        first, second = (rng.random((2, 300)) < rng.uniform(0.05, 0.95)) * 1
        return bool(unpaired_evidence(first, second).max() >= -np.log(ALPHA))

    return drawn(hit, repetitions)


def permutation_size(repetitions: int) -> Found:
    def hit(rng: Generator) -> bool | None:
        x, y = rng.normal(size=(2, int(rng.integers(4, 7))))
        p = permutation_p(x, y).value
        return None if p is None else p <= ALPHA

    return drawn(hit, repetitions)


@cache
def _mcnemar_p(first_only: int, second_only: int) -> float:
    p = exact_mcnemar(PairedTable(1, first_only, second_only, 0)).value
    assert p is not None
    return p


def holm_size(repetitions: int) -> Found:
    def hit(rng: Generator) -> bool:
        n, rate = int(rng.integers(20, 61)), rng.uniform(0.2, 0.8)
        x = rng.random((n, 4)) < rate
        p = [_mcnemar_p(int((x[:, i] > x[:, j]).sum()), int((x[:, i] < x[:, j]).sum())) for i, j in combinations(range(4), 2)]  # fmt: skip
        return bool(holm(p).min() <= ALPHA)

    return drawn(hit, repetitions)


def majority_size(repetitions: int) -> Found:
    def hit(rng: Generator) -> bool | None:
        n, base = int(rng.integers(30, 121)), rng.uniform(0.5, 0.8)
        real = (rng.random(n) < base) * 1
        predicted = np.where(rng.random(n) < base, real, 1 - real)
        p = accuracy_beats_majority(predicted, real).value
        return None if p is None else p <= ALPHA

    return drawn(hit, repetitions)
