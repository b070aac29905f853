"""Bradley-Terry: one strength a policy, from who succeeded where who else failed.

On the same scene, P(i succeeds and j fails | one of them does) = sigmoid(strength_i - strength_j). Where success is logistic
in (policy - scene), that is so whatever the scenes are like (Rasch 1960), so difficult and easy scenes need no terms.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_level

PRIOR_SD = 2.0
"""Odds of 7 to 1 against an average policy are one of these away from even: an unbeaten policy stays finite."""


def bradley_terry(outcomes: ArrayLike, level: float = 0.95, prior_sd: float = PRIOR_SD) -> list[Estimate]:
    """[S, K] outcomes 0/1 of K policies on S scenes, nan where one has none -> K strengths, in log odds; their mean is 0.

    Bradley & Terry (1952), Biometrika 39, 324-345, over discordant pairs, with a normal prior on every strength, so that
    they are drawn together where evidence is thin. Pairs of one scene depend on each other: the interval takes scenes as
    the units, covariance H^-1 (J + prior) H^-1 (less what all strengths share) with H the penalised curvature and J the sum over scenes of squared scores
    (White 1982, Econometrica 50), which is the usual posterior where pairs are independent. `n` counts scenes with a
    discordant pair. Absent without any and for a policy that was in none. Raises ValueError for other values or shapes.
    """
    won, lost = _sides(outcomes)
    precision = 1 / prior_sd**2
    wins = won.T @ lost  # [K, K]: row succeeded where column failed
    method = f"Bradley-Terry strength (log odds, mean 0, prior sd {prior_sd:g}), over scenes with a discordant pair"
    n = int(np.sum(won.any(1) & lost.any(1)))
    if n == 0:
        return [Estimate.absent(0, method, as_level(level), "no discordant pair")] * won.shape[1]
    strength = _fitted(wins, precision)
    se = _standard_errors(strength, won, lost, wins, precision)
    reach = norm.ppf((1 + as_level(level)) / 2) * se
    played = (wins + wins.T).sum(1) > 0
    return [
        Estimate(float(s), float(s - r), float(s + r), n, method, level)
        if there
        else Estimate.absent(0, method, level, "in no discordant pair")
        for s, r, there in zip(strength, reach, played, strict=True)
    ]


def _sides(outcomes: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """[S, K] twice: 1 where a policy succeeded, 1 where it failed."""
    table = np.asarray(outcomes, np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"outcomes: found shape {table.shape}, expected [scenes, policies] with two policies or more")
    if odd := table[~(np.isnan(table) | (table == 0) | (table == 1))].tolist():
        raise ValueError(f"outcomes: found {odd[0]} ({len(odd)} such), expected 0, 1, or nan where there is none")
    return (table == 1).astype(np.float64), (table == 0).astype(np.float64)


def _fitted(wins: FloatArray, precision: float) -> FloatArray:
    """The strengths of the largest penalised likelihood."""

    def loss(x: FloatArray) -> float:
        return float(-(wins * log_expit(x[:, None] - x)).sum() + precision * (x @ x) / 2)

    def slope(x: FloatArray) -> FloatArray:
        return np.asarray(((wins + wins.T) * expit(x[:, None] - x) - wins).sum(1) + precision * x)

    found = minimize(
        loss, np.zeros(len(wins)), jac=slope, hess=lambda x: _curvature(x, wins, precision), method="trust-exact"
    )
    return np.asarray(found.x - found.x.mean())


def _curvature(x: FloatArray, wins: FloatArray, precision: float) -> FloatArray:
    p = expit(x[:, None] - x)
    weight = (wins + wins.T) * p * (1 - p)
    return np.asarray(np.diag(weight.sum(1) + precision) - weight)


def _standard_errors(
    strength: FloatArray, won: FloatArray, lost: FloatArray, wins: FloatArray, precision: float
) -> FloatArray:
    p = expit(strength[:, None] - strength)
    scores = won * (lost @ (1 - p).T) - lost * (won @ p.T)  # [S, K]
    there = scores[(scores != 0).any(1)]
    few = len(there) / max(len(there) - 1, 1)
    middle = few * there.T @ there + precision * np.eye(len(p))
    inverse = np.linalg.inv(_curvature(strength, wins, precision))
    centred = (np.eye(len(p)) - 1 / len(p)) @ inverse  # what all have in common is not reported
    return np.asarray(np.sqrt(np.diag(centred @ middle @ centred.T)))
