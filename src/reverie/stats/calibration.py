"""From predicted success rates to real ones: an affine or an isotonic map, fitted on some groups and judged on others.

A group is what a new prediction would be new in: a policy, or a task. In-sample errors of a map say nothing and are not
offered. Knows rates only; what stands behind them is `prediction_powered`'s subject.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_rates, check_choice
from reverie.stats.means import bootstrap_mean
from reverie.stats.resampling import DEFAULT_RESAMPLING, Resampling

MapKind: TypeAlias = Literal["affine", "isotonic"]
RateMap: TypeAlias = Callable[[FloatArray], FloatArray]  # [...] rates -> [...] rates in [0, 1]
MIN_GROUPS = 3


@dataclass(frozen=True)
class HeldOut:
    """What a map makes of rates that it was not fitted on.

    calibrated: [K] rates, None where no map could be fitted without that group. error_before, error_after: mean
    absolute error against the real rates over groups (every group counts once), of the rates that were calibrated.
    """

    kind: MapKind
    calibrated: tuple[float | None, ...]
    error_before: Estimate
    error_after: Estimate


def affine_map(predicted: ArrayLike, real: ArrayLike) -> RateMap | None:
    """Least squares real ~ a + b predicted, b >= 0, cut to [0, 1]; None without two different predicted rates.

    A negative slope would say that the prediction is worse than none; then the map is the mean real rate (b = 0).
    """
    x, y = as_rates("predicted", predicted), as_rates("real", real)
    if len(x) < 2 or np.ptp(x) < 1e-9:
        return None
    slope = max(float(np.cov(x, y, bias=True)[0, 1] / x.var()), 0.0)
    offset = float(y.mean() - slope * x.mean())
    return lambda rates: np.clip(offset + slope * np.asarray(rates, np.float64), 0.0, 1.0)


def isotonic_map(predicted: ArrayLike, real: ArrayLike) -> RateMap | None:
    """The best non-decreasing step function (Barlow et al. 1972; scipy), linear between its steps and flat outside them;
    None without two different predicted rates. Equal predictions are averaged first."""
    x, y = as_rates("predicted", predicted), as_rates("real", real)
    at, index, counts = np.unique(np.round(x, 12), return_inverse=True, return_counts=True)
    if len(at) < 2:
        return None
    means = np.bincount(index, weights=y) / counts
    fitted = isotonic_regression(means, weights=counts).x
    return lambda rates: np.interp(np.asarray(rates, np.float64), at, fitted)


MAPS: dict[MapKind, Callable[[ArrayLike, ArrayLike], RateMap | None]] = {
    "affine": affine_map,
    "isotonic": isotonic_map,
}


def held_out(
    predicted: ArrayLike,
    real: ArrayLike,
    groups: Sequence[Hashable],
    kind: MapKind = "affine",
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> HeldOut:
    """Calibrate each of [K] predicted rates by the map of all other groups ([K] names: policies, or tasks).

    Errors are absent below three groups. Their intervals resample groups; with fewer than about ten they are too short.
    Raises ValueError for values outside [0, 1] or lists that do not match.
    """
    x, y = as_rates("predicted", predicted), as_rates("real", real)
    check_choice("kind", kind, tuple(MAPS))
    if not len(x) == len(y) == len(groups):
        raise ValueError(
            f"predicted, real, groups: found {len(x)}, {len(y)} and {len(groups)}, expected one each per rate"
        )
    names = list(dict.fromkeys(groups))
    of = np.array([names.index(g) for g in groups], dtype=np.int64)
    calibrated = np.full(len(x), np.nan)
    for group in range(len(names)):
        inside = of == group
        fitted = MAPS[kind](x[~inside], y[~inside]) if len(names) >= MIN_GROUPS else None
        calibrated[inside] = np.nan if fitted is None else fitted(x[inside])
    done = np.isfinite(calibrated)
    errors = [np.abs(side[done] - y[done]) for side in (x, calibrated)]
    before, after = (_over_groups(e, of[done], len(names), kind, resampling) for e in errors)
    return HeldOut(kind, tuple(float(v) if np.isfinite(v) else None for v in calibrated), before, after)


def _over_groups(errors: FloatArray, of: FloatArray, n_groups: int, kind: MapKind, resampling: Resampling) -> Estimate:
    if errors.size == 0:
        reason = f"{n_groups} groups, expected at least {MIN_GROUPS} with different predicted rates"
        return Estimate.absent(0, f"mean absolute error, {kind} map held out by group", resampling.level, reason)
    return bootstrap_mean([float(errors[of == g].mean()) for g in np.unique(of)], "groups", resampling)
