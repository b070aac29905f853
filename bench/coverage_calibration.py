"""Do the intervals of predicting the truth cover? PPI++, a judge's correction, conformal thresholds, correlations under trial noise.

    python bench/coverage_calibration.py [--repetitions 20000] [--rows ppi_10 conformal]

Every row has its range: each point of it is simulated `repetitions` times. Rows that are expected to fall short are here
to say by how much.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import tyro
from scipy.stats import norm

from reverie.core import unknown_name
from reverie.stats import (
    CORRELATIONS,
    Resampling,
    clopper_pearson,
    conformal_rank,
    corrected_rate,
    ppi_limits,
    rate_bootstrap,
)
from reverie.stats.betting import betting_limits
from reverie.stats.prediction_powered import MEAN_SHARE

LEVEL, UNLABELLED = 0.95, 200
BLOCK = 500
Array = np.ndarray
Limits = tuple[Array, Array]


@dataclass(frozen=True)
class Covered:
    """Coverage averaged over the points of a range, the lowest and the highest of them, and repetitions a point.
    width: mean width of the intervals, None where there is none."""

    mean: float
    lowest: float
    highest: float
    n: int
    width: float | None = None
    parts: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """expected: what is promised (or known to fail), in words."""

    expected: str
    range: str
    measure: Callable[[int], Covered]


def over(points: Sequence[tuple[str, float, float | None]], repetitions: int) -> Covered:
    """From (name, coverage, width) of every point."""
    rates, widths = [rate for _, rate, _ in points], [w for *_, w in points if w is not None]
    width = float(np.mean(widths)) if widths else None
    return Covered(
        float(np.mean(rates)), min(rates), max(rates), repetitions, width, tuple((p, r) for p, r, _ in points)
    )


def pairs(rate: float, phi: float, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Array, Array, float]:
    """Real and predicted 0/1 outcomes with correlation phi (or the most there can be), and the predicted rate, which is 15
    points too low where there is room."""
    predicted = max(rate - 0.15, 0.05)
    both = rate * predicted + phi * np.sqrt(rate * (1 - rate) * predicted * (1 - predicted))
    both = min(both, rate, predicted)
    real = rng.random(shape) < rate
    given = np.where(real, both / rate, (predicted - both) / (1 - rate))
    return real.astype(float), (rng.random(shape) < given).astype(float), predicted


def ppi(limits: Callable[[Array, Array, Array], Limits], n: int, repetitions: int) -> Covered:
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


def exact_alone(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    n = real.shape[-1]
    found = [clopper_pearson(k, n, LEVEL) for k in range(n + 1)]
    counts = real.sum(-1).astype(int)
    return np.array([e.low for e in found])[counts], np.array([e.high for e in found])[counts]


def betting(real: Array, predicted: Array, unlabelled: Array) -> Limits:
    alpha = 1 - LEVEL
    found = [clopper_pearson(k, UNLABELLED, 1 - MEAN_SHARE * alpha) for k in range(UNLABELLED + 1)]
    counts = np.rint(unlabelled * UNLABELLED).astype(int)
    means = np.array([e.low for e in found])[counts], np.array([e.high for e in found])[counts]
    parts = [
        betting_limits(real[i : i + BLOCK], predicted[i : i + BLOCK], (means[0][i : i + BLOCK], means[1][i : i + BLOCK]), UNLABELLED, alpha * (1 - MEAN_SHARE))
        for i in range(0, len(real), BLOCK)
    ]  # fmt: skip
    return np.concatenate([low for low, _ in parts]), np.concatenate([high for _, high in parts])


def judged(repetitions: int) -> Covered:
    """n judged trials, labelled cases of either kind, sensitivity and specificity."""
    points = []
    for rate, (n, labelled), (se, sp) in product((0.1, 0.5, 0.9), ((50, 20), (200, 50)), ((0.9, 0.8), (0.75, 0.75))):
        rng, hits, widths = np.random.default_rng(0), 0, 0.0
        called = rng.binomial(n, rate * se + (1 - rate) * (1 - sp), repetitions)
        right = rng.binomial(labelled, se, repetitions), rng.binomial(labelled, sp, repetitions)
        defined = 0
        for k, tp, tn in zip(called.tolist(), *(r.tolist() for r in right), strict=True):
            found = corrected_rate(k, n, tp, labelled, tn, labelled, LEVEL)
            if found.low is not None and found.high is not None:
                defined, widths = defined + 1, widths + found.high - found.low
                hits += found.low <= rate <= found.high
        points.append(
            (f"rate {rate}, {n} judged, {labelled} labelled each, {se}/{sp}", hits / defined, widths / defined)
        )
    return over(points, repetitions)


def conformal(repetitions: int) -> Covered:
    """Of one new score; exactly rank / (n + 1)."""
    points = []
    for n, alpha in product((19, 25, 50, 200), (0.05, 0.1, 0.2)):
        rng, rank = np.random.default_rng(0), conformal_rank(n, alpha)
        kth = np.partition(rng.random((repetitions, n)), rank - 1, axis=1)[:, rank - 1]
        points.append(
            (f"n {n}, alpha {alpha}: {1 - alpha:g}", float(np.mean(rng.random(repetitions) <= kth)) - (1 - alpha), None)
        )
    return over(points, repetitions)


def fisher_under_noise(trials: int, repetitions: int) -> Covered:
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


def bootstrap_of_rates(kind: str, repetitions: int) -> Covered:
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


PAIRS = "rates .1 to .95, phi 0 to .9, 200 unlabelled, predictions 15 points too low"
ROWS: Mapping[str, Row] = {
    **{f"ppi_{n}": Row("about 95 %", f"{n} pairs; {PAIRS}", partial(ppi, padded, n)) for n in (10, 20, 30, 50, 100)},
    **{f"ppi_unpadded_{n}": Row("falls short at few pairs", f"{n} pairs; {PAIRS}", partial(ppi, unpadded, n)) for n in (10, 30)},
    **{f"clopper_pearson_{n}": Row("at least 95 %", f"{n} trials; {PAIRS}", partial(ppi, exact_alone, n)) for n in (10, 20)},
    **{f"ppi_betting_{n}": Row("at least 95 %", f"{n} pairs; {PAIRS}", partial(ppi, betting, n)) for n in (10, 20)},
    "corrected_rate": Row("about 95 %", "rates .1 to .9; 50 and 200 judged; 20 and 50 labelled of each kind", judged),
    "conformal": Row("at least 1 - alpha: the excess, at least 0", "n 19 to 200, alpha .05 to .2", conformal),
    "fisher_20_trials": Row("falls short: noise attenuates r", "5 to 15 policies of 20 trials a side", partial(fisher_under_noise, 20)),
    "fisher_200_trials": Row("about 95 %", "5 to 15 policies of 200 trials a side", partial(fisher_under_noise, 200)),
    "rate_bootstrap_pearson": Row("falls short near a perfect r", "8 policies of 40 trials a side", partial(bootstrap_of_rates, "pearson")),
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    repetitions: int = 20_000
    rows: tuple[str, ...] = ()


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    for name in options.rows or ROWS:
        if name not in ROWS:
            raise unknown_name("row", name, list(ROWS))
        row = ROWS[name]
        print(
            json.dumps(
                {"row": name, "expected": row.expected, "range": row.range} | row.measure(options.repetitions).to_dict()
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
