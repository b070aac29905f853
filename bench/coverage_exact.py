"""Rows of `coverage.py` without simulation: every table or every sequence of outcomes, weighed by its probability."""

from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.stats import binom, multinomial

from coverage_found import Found, enumerated, joined
from reverie.core import Estimate
from reverie.stats import PairedTable, PValue, boschloo, paired_difference, unpaired_difference
from reverie.stats.e_values import mixture_evidence
from reverie.stats.sequences import paired_limits, rate_limits, unpaired_limits

Array = np.ndarray
ALPHA, LEVEL, EDGE = 0.05, 0.95, 1e-9
TENTHS = np.arange(0.05, 1, 0.1)


def binomial(interval: Callable[[int, int], Estimate], repetitions: int) -> Found:
    return joined([(f"n_{n}", _binomial(interval, n)) for n in (5, 10, 20, 50, 100, 200)])


def _binomial(interval: Callable[[int, int], Estimate], n: int) -> Found:
    """Averaged over an even grid of rates; coverage is lowest beside a limit, so that those are looked at for the extremes."""
    low, high = _limits([interval(k, n) for k in range(n + 1)])
    grid = np.linspace(0.0005, 0.9995, 1999)
    beside = np.concatenate([low + EDGE, low - EDGE, high + EDGE, high - EDGE])
    rates = np.concatenate([grid, beside[(beside > 0) & (beside < 1)]])[:, None]
    covered = (low <= rates) & (rates <= high)
    coverage = (binom.pmf(np.arange(n + 1), n, rates) * covered).sum(1)
    return Found(float(coverage[: len(grid)].mean()), float(coverage.min()), float(coverage.max()))


def _limits(estimates: list[Estimate]) -> tuple[Array, Array]:
    return np.array([e.low for e in estimates]), np.array([e.high for e in estimates])


def sequence(repetitions: int) -> Found:
    """The chance that no interval of the first 300 left the rate out. alive[rate, successes]."""
    rates = np.linspace(0.005, 0.995, 199)[:, None]
    alive = np.ones((len(rates), 1))
    for n in range(1, 301):
        alive = np.pad(alive * (1 - rates), ((0, 0), (0, 1))) + np.pad(alive * rates, ((0, 0), (1, 0)))
        low, high = rate_limits(np.arange(n + 1), np.full(n + 1, n), LEVEL)
        alive *= (low <= rates) & (rates <= high)
    return enumerated(alive.sum(1))


def paired(repetitions: int) -> Found:
    return joined([(f"n_{n}", _paired(n)) for n in (10, 25, 50)])


def _paired(n: int) -> Found:
    tables = [(b, c, n - b - c) for b in range(n + 1) for c in range(n + 1 - b)]
    low, high = _limits([paired_difference(PairedTable(0, b, c, rest)) for b, c, rest in tables])
    coverage = [
        multinomial.pmf(tables, n, [p, q, 1 - p - q])[(low <= p - q) & (p - q <= high)].sum() for p, q in _discordant()
    ]
    return enumerated(np.array(coverage))


def _discordant() -> list[tuple[float, float]]:
    return [(p, q) for p, q in product(TENTHS[:5], TENTHS[:5])]


def paired_sequence(repetitions: int) -> Found:
    """alive[point, first only, second only]."""
    p, q = (x[:, None, None] for x in np.array(_discordant()).T)
    alive = np.ones((len(p), 1, 1))
    for n in range(1, 61):
        alive = _grown(alive * (1 - p - q), (0, 0)) + _grown(alive * p, (1, 0)) + _grown(alive * q, (0, 1))
        b, c = np.indices((n + 1, n + 1))
        possible = b + c <= n
        low, high = np.full((n + 1, n + 1), -1.0), np.full((n + 1, n + 1), 1.0)
        low[possible], high[possible] = paired_limits(b[possible], c[possible], np.full(possible.sum(), n), LEVEL)
        alive *= (low <= p - q + EDGE) & (p - q - EDGE <= high)
    return enumerated(alive.sum((1, 2)))


def _grown(alive: Array, by: tuple[int, int]) -> Array:
    """[P, R, C] -> [P, R + 1, C + 1], moved by rows and columns."""
    return np.pad(alive, ((0, 0), (by[0], 1 - by[0]), (by[1], 1 - by[1])))


def unpaired(repetitions: int) -> Found:
    return joined([(f"n_{n}", _unpaired(n)) for n in (10, 20, 50)])


def _unpaired(n: int) -> Found:
    counts = list(product(range(n + 1), range(n + 1)))
    low, high = _limits([unpaired_difference(i, n, j, n) for i, j in counts])
    chance = {p: binom.pmf(np.arange(n + 1), n, p) for p in TENTHS}
    coverage = [
        np.outer(chance[p], chance[q]).ravel()[(low <= p - q) & (p - q <= high)].sum()
        for p, q in product(TENTHS, TENTHS)
    ]
    return enumerated(np.array(coverage))


def unpaired_sequence(repetitions: int) -> Found:
    """alive[point, successes of the first, of the second]; a trial of either comes, then both are looked at."""
    p, q = (x[:, None, None] for x in np.array(list(product(TENTHS, TENTHS))).T)
    alive = np.ones((len(p), 1, 1))
    for n in range(1, 31):
        weighed = [(alive * (1 - p) * (1 - q), (0, 0)), (alive * p * (1 - q), (1, 0))]
        weighed += [(alive * (1 - p) * q, (0, 1)), (alive * p * q, (1, 1))]
        alive = sum(_grown(part, by) for part, by in weighed)
        i, j = np.indices((n + 1, n + 1))
        low, high = unpaired_limits(i, np.full_like(i, n), j, np.full_like(j, n), LEVEL)
        alive *= (low <= p - q + EDGE) & (p - q - EDGE <= high)
    return enumerated(alive.sum((1, 2)))


def mcnemar(test: Callable[[PairedTable], PValue], repetitions: int) -> Found:
    """The null leaves discordant pairs to fall either way: rejected[m] of m of them, weighed over m."""
    most = 100
    rejected = np.array([_mcnemar(test, m) for m in range(most + 1)])
    sizes = [
        binom.pmf(np.arange(n + 1), n, share) @ rejected[: n + 1]
        for n, share in product((5, 10, 20, 50, most), np.linspace(0.05, 1, 20))
    ]
    return enumerated(np.array(sizes))


def _mcnemar(test: Callable[[PairedTable], PValue], m: int) -> float:
    p = [test(PairedTable(1, k, m - k, 0)).value for k in range(m + 1)]
    return float(binom.pmf(np.arange(m + 1), m, 0.5)[np.array(p) <= ALPHA].sum())


def boschloo_size(repetitions: int) -> Found:
    rates, sizes = np.linspace(0.01, 0.99, 99)[:, None, None], []
    for n in (5, 9, 13):
        k = np.arange(n + 1)
        rejects = np.array([[boschloo(i, n, j, n).value <= ALPHA for j in k] for i in k])
        chance = binom.pmf(k[:, None], n, rates) * binom.pmf(k, n, rates)
        sizes.append((chance * rejects).sum((1, 2)))
    return enumerated(np.concatenate(sizes))


def sequential_paired_size(repetitions: int) -> Found:
    """Exact over all sequences: evidence depends on the counts alone. Both the two-sided and a one-sided test."""
    sizes = []
    for alternative in ("two-sided", "greater"):
        alive = np.ones(1)
        for m in range(1, 1001):
            alive = np.append(alive / 2, 0) + np.append(0, alive / 2)
            k = np.arange(m + 1)
            alive = np.where(mixture_evidence(k, m - k, alternative) < -np.log(ALPHA), alive, 0)
        sizes.append(1 - alive.sum())
    return enumerated(np.array(sizes))
