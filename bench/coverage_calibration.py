"""Rows of `coverage.py` about predicting the truth: PPI++, a judge's correction, conformal thresholds, correlations under trial noise.

Every point of a row's range is simulated with all repetitions; of what a judge's correction does to differences and biases,
every repetition draws its own point.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

import numpy as np
from scipy.stats import norm

from coverage_found import Found, Generator, drawn
from reverie.stats import (
    CORRELATIONS,
    PairedTable,
    Resampling,
    clopper_pearson,
    conformal_rank,
    corrected_bias,
    corrected_difference,
    corrected_rate,
    paired_difference,
    ppi_limits,
    rate_bootstrap,
)
from reverie.stats.betting import betting_limits
from reverie.stats.prediction_powered import MEAN_SHARE

LEVEL, UNLABELLED = 0.95, 200
BLOCK = 100
Array = np.ndarray
Limits = tuple[Array, Array]


def over(points: Sequence[tuple[str, float, float | None]], repetitions: int) -> Found:
    """From (name, coverage, width) of every point."""
    rates, widths = [rate for _, rate, _ in points], [w for *_, w in points if w is not None]
    width = float(np.mean(widths)) if widths else None
    parts = tuple((p, r) for p, r, _ in points)
    return Found(float(np.mean(rates)), min(rates), max(rates), repetitions, parts, width=width)


def pairs(rate: float, phi: float, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Array, Array, float]:
    """Real and predicted 0/1 outcomes with correlation phi (or the most there can be), and the predicted rate, which is 15
    points too low where there is room."""
    predicted = max(rate - 0.15, 0.05)
    both = rate * predicted + phi * np.sqrt(rate * (1 - rate) * predicted * (1 - predicted))
    both = min(both, rate, predicted)
    real = rng.random(shape) < rate
    given = np.where(real, both / rate, (predicted - both) / (1 - rate))
    return real.astype(float), (rng.random(shape) < given).astype(float), predicted


def ppi(limits: Callable[[Array, Array, Array], Limits], n: int, repetitions: int) -> Found:
    points = []
    for rate, phi in product((0.1, 0.3, 0.5, 0.8, 0.95), (0.0, 0.5, 0.7, 0.9)):
        rng = np.random.default_rng(0)
        real, predicted, mean = pairs(rate, phi, (repetitions, n), rng)
        unlabelled = rng.binomial(UNLABELLED, mean, repetitions) / UNLABELLED
        low, high = limits(real, predicted, unlabelled)
        points.append(
            (f"rate {rate}, phi {phi}", float(np.mean((low <= rate) & (rate <= high))), float(np.mean(high - low)))
        )
    return over(points, repetitions)


def padded(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    return ppi_limits(real, predicted, unlabelled, unlabelled * (1 - unlabelled), UNLABELLED, LEVEL)


def unpadded(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    """PPI++ as it is published, for comparison."""
    n = real.shape[-1]
    y, f = real - real.mean(-1, keepdims=True), predicted - predicted.mean(-1, keepdims=True)
    scale = (1 + n / UNLABELLED) * (f * f).mean(-1)
    weight = np.clip(np.divide((y * f).mean(-1), scale, out=np.zeros(len(y)), where=scale > 0), 0, 1)
    spread = ((y - weight[:, None] * f) ** 2).sum(-1) / max(n - 1, 1) / n
    spread = spread + weight**2 * unlabelled * (1 - unlabelled) / UNLABELLED
    centre = weight * unlabelled + (real - weight[:, None] * predicted).mean(-1)
    reach = norm.ppf((1 + LEVEL) / 2) * np.sqrt(spread)
    return np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)


@cache
def exact(n: int, level: float) -> Limits:
    """Clopper-Pearson's limits of 0 to n successes."""
    found = [clopper_pearson(k, n, level) for k in range(n + 1)]
    return np.array([e.low for e in found]), np.array([e.high for e in found])


def exact_alone(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    counts, (low, high) = real.sum(-1).astype(int), exact(real.shape[-1], LEVEL)
    return low[counts], high[counts]


def betting(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    alpha = 1 - LEVEL
    counts, (low, high) = np.rint(unlabelled * UNLABELLED).astype(int), exact(UNLABELLED, 1 - MEAN_SHARE * alpha)
    means = low[counts], high[counts]
    parts = [
        betting_limits(real[i : i + BLOCK], predicted[i : i + BLOCK], (means[0][i : i + BLOCK], means[1][i : i + BLOCK]), UNLABELLED, alpha * (1 - MEAN_SHARE))
        for i in range(0, len(real), BLOCK)
    ]  # fmt: skip
    return np.concatenate([low for low, _ in parts]), np.concatenate([high for _, high in parts])


def judged(repetitions: int) -> Found:
    """n judged trials, labelled cases of either kind, sensitivity and specificity."""
    points = []
    for rate, (n, labelled), (se, sp) in product((0.1, 0.5, 0.9), ((50, 20), (200, 50)), ((0.9, 0.8), (0.75, 0.75))):
        rng = np.random.default_rng(0)
        called = rng.binomial(n, rate * se + (1 - rate) * (1 - sp), repetitions)
        seen = np.stack([called, rng.binomial(labelled, se, repetitions), rng.binomial(labelled, sp, repetitions)], 1)
        kinds, weights = np.unique(seen, axis=0, return_counts=True)
        found = [corrected_rate(k, n, tp, labelled, tn, labelled, LEVEL) for k, tp, tn in kinds.tolist()]
        there = np.array([e.low is not None for e in found])
        low, high = (
            np.array([v for v in side if v is not None]) for side in zip(*((e.low, e.high) for e in found), strict=True)
        )
        covered = np.average((low <= rate) & (rate <= high), weights=weights[there])
        points.append(
            (
                f"rate {rate}, {n} judged, {labelled} labelled each, {se}/{sp}",
                float(covered),
                float(np.average(high - low, weights=weights[there])),
            )
        )
    return over(points, repetitions)


def _judge(rng: Generator) -> tuple[float, float, tuple[int, int, int, int]]:
    """Sensitivity, specificity, and what labelled cases show of them."""
    labelled, se, sp = int(rng.integers(30, 101)), *rng.uniform(0.75, 0.98, 2)
    return se, sp, (int(rng.binomial(labelled, se)), labelled, int(rng.binomial(labelled, sp)), labelled)


def judged_differences(repetitions: int) -> Found:
    """Pairs whose two true outcomes depend on each other; the judge errs on each by itself."""

    def hit(rng: Generator) -> bool | None:
        se, sp, counts = _judge(rng)
        n, cells = int(rng.integers(40, 151)), rng.dirichlet((2, 1, 1, 2))  # both, first only, second only, neither
        cell = rng.choice(4, n, p=cells)
        one, two = (rng.random(n) < np.where(np.isin(cell, kind), se, 1 - sp) for kind in ((0, 1), (0, 2)))
        table = PairedTable(
            int((one & two).sum()), int((one & ~two).sum()), int((~one & two).sum()), int((~one & ~two).sum())
        )
        found = corrected_difference(paired_difference(table), *counts)
        true = cells[1] - cells[2]
        return None if found.low is None or found.high is None else bool(found.low <= true <= found.high)

    return drawn(hit, repetitions)


def judged_biases(repetitions: int) -> Found:
    """4 to 12 policies of 60 trials a side."""

    def hit(rng: Generator) -> bool | None:
        se, sp, counts = _judge(rng)
        k, shift = int(rng.integers(4, 13)), rng.uniform(-0.1, 0.1)
        real = rng.uniform(0.3, 0.7, k)
        predicted = real + shift + rng.uniform(-0.1, 0.1, k)
        seen = rng.binomial(60, predicted * se + (1 - predicted) * (1 - sp)) / 60
        found = corrected_bias(seen, rng.binomial(60, real) / 60, *counts)
        return None if found.low is None or found.high is None else bool(found.low <= shift <= found.high)

    return drawn(hit, repetitions)


def conformal(repetitions: int) -> Found:
    """Of one new score; exactly rank / (n + 1)."""
    points = []
    for n, alpha in product((19, 25, 50, 200), (0.05, 0.1, 0.2)):
        rng, rank = np.random.default_rng(0), conformal_rank(n, alpha)
        kth = np.partition(rng.random((repetitions, n)), rank - 1, axis=1)[:, rank - 1]
        points.append(
            (f"n {n}, alpha {alpha}: {1 - alpha:g}", float(np.mean(rng.random(repetitions) <= kth)) - (1 - alpha), None)
        )
    return over(points, repetitions)


def fisher_under_noise(trials: int, repetitions: int) -> Found:
    """Latent rates of K policies with correlation rho; the rates of `trials` trials a side are what is seen."""
    points = []
    for k, rho in product((5, 8, 15), (0.3, 0.7, 0.95)):
        rng = np.random.default_rng(0)
        x, z = rng.normal(size=(2, repetitions, k))
        y = rho * x + np.sqrt(1 - rho**2) * z
        seen = [rng.binomial(trials, np.clip(0.5 + 0.2 * side, 0, 1)) / trials for side in (x, y)]
        r = np.clip(CORRELATIONS["pearson"].values(*seen), -1 + 1e-12, 1 - 1e-12)
        reach = norm.ppf((1 + LEVEL) / 2) / np.sqrt(k - 3)
        low, high = np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)
        points.append(
            (f"{k} policies, rho {rho}", float(np.nanmean((low <= rho) & (rho <= high))), float(np.nanmean(high - low)))
        )
    return over(points, repetitions)


def bootstrap_of_rates(kind: str, repetitions: int) -> Found:
    """For the policies at hand: eight evenly spread ones, 40 trials a side, predicted rates that are off by `error`."""
    points, real = [], np.linspace(0.15, 0.85, 8)
    for error in (0.0, 0.08, 0.2):
        rng, hits = np.random.default_rng(0), []
        for _ in range(repetitions):
            truth = np.clip(real + rng.normal(0, error, 8) if error else real, 0, 1)
            target = float(CORRELATIONS[kind].values(truth, real))
            seen = [rng.binomial(40, side) / 40 for side in (truth, real)]
            resampling = Resampling(draws=500, seed=int(rng.integers(2**31)), level=LEVEL)
            found = rate_bootstrap(CORRELATIONS[kind], (seen[0], [40] * 8), (seen[1], [40] * 8), np.eye(8), resampling)
            if found.low is not None and found.high is not None:
                hits.append((found.low <= target + 1e-12 and target <= found.high + 1e-12, found.high - found.low))
        rates, widths = np.mean(hits, axis=0)
        points.append((f"errors of sd {error}", float(rates), float(widths)))
    return over(points, repetitions)
