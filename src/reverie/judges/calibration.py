"""Calibration on held-out episodes: where the line between success and failure lies, and how sure to be beside it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from reverie.core import ReverieError
from reverie.judges.holding import HoldRule


def calibrated(
    rule: HoldRule,
    scores: Sequence[float],
    truths: Sequence[bool],
    groups: Sequence[int] | None = None,
    ridge: float = 0.01,
) -> HoldRule:
    """`rule` with the threshold and temperature under which sigmoid((score - threshold) / temperature) is the most likely
    probability of the truths, both classes of every group weighing alike (Platt 1999). The small `ridge` keeps the
    temperature finite where the classes are separated. Raises ReverieError without a success and a failure."""
    score, true = np.asarray(scores, dtype=np.float64), np.asarray(truths, dtype=bool)
    if not true.any() or true.all():
        raise ReverieError(
            f"calibration needs successes and failures, found {int(true.sum())} of {len(true)}: give more episodes"
        )
    cells = 2 * np.asarray(np.zeros(len(true)) if groups is None else groups, dtype=np.int64) + true
    weight = len(cells) / (len(np.unique(cells)) * np.bincount(cells)[cells])
    sign = np.where(true, 1.0, -1.0)

    def loss(v: np.ndarray) -> float:
        margin = sign * (score - v[0]) / np.exp(v[1])
        return float(
            (weight * np.logaddexp(0, -margin)).mean() + ridge * (v[1] ** 2 + (v[0] - rule.threshold) ** 2 / 25)
        )

    found = minimize(loss, np.array([rule.threshold, np.log(rule.temperature)]), method="Nelder-Mead").x
    return replace(rule, threshold=float(found[0]), temperature=float(np.exp(found[1])))
