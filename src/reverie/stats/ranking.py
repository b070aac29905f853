"""Does the prediction order the policies as reality does, and what does trusting it cost? MMRV, regret, top-1, bias.

Works on one number a policy and side. MMRV's conventions differ between papers, so each result names its own.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from reverie.core.estimate import Estimate
from reverie.stats.arguments import FloatArray, as_level, as_vectors, check_choice
from reverie.stats.resampling import Statistic, too_few

Ties: TypeAlias = Literal["strict_less", "strict_greater", "sign_product"]
Gap: TypeAlias = Literal["real", "predicted"]


@dataclass(frozen=True)
class MmrvConvention:
    """What counts as a violation of the pair (i, j), and which side's gap weighs it. The default is SIMPLER's.

    `ties`: `strict_less`: (S_i < S_j) != (R_i < R_j), the formula of the SIMPLER paper; `strict_greater`: the same
    with >, SimplerEnv's code (a tie on one side is charged to the other policy of the pair);
    `sign_product`: (S_i - S_j)(R_i - R_j) < 0, a tie on either side is no violation.
    `gap`: `real` |R_i - R_j| (SIMPLER), `predicted` |S_i - S_j| (real2sim-eval).
    """

    ties: Ties = "strict_less"
    gap: Gap = "real"

    def __post_init__(self) -> None:
        check_choice("ties", self.ties, get_args(Ties))
        check_choice("gap", self.gap, get_args(Gap))

    @property
    def name(self) -> str:
        return f"MMRV (ties {self.ties}, gap {self.gap})"

    def violated(self, predicted: FloatArray, real: FloatArray) -> NDArray[np.bool_]:
        """[..., K], [..., K] -> [..., K, K]."""
        s_i, s_j = predicted[..., :, None], predicted[..., None, :]
        r_i, r_j = real[..., :, None], real[..., None, :]
        if self.ties == "strict_less":
            return np.asarray((s_i < s_j) != (r_i < r_j))
        if self.ties == "strict_greater":
            return np.asarray((s_i > s_j) != (r_i > r_j))
        return np.asarray((s_i - s_j) * (r_i - r_j) < 0)

    def values(self, predicted: FloatArray, real: FloatArray) -> FloatArray:
        """[..., K], [..., K] -> [...]."""
        side = real if self.gap == "real" else predicted
        gap = np.abs(side[..., :, None] - side[..., None, :])  # [..., K, K]
        worst = np.where(self.violated(predicted, real), gap, 0.0).max(-1)  # [..., K]
        return np.asarray(worst.mean(-1))


SIMPLER = MmrvConvention()


def mmrv(predicted: ArrayLike, real: ArrayLike, convention: MmrvConvention = SIMPLER, level: float = 0.95) -> Estimate:
    """Mean maximum rank violation of [K] predicted against [K] real rates; 0 is a perfect order.

    (1 / K) sum_i max_j |R_i - R_j| 1[(S_i < S_j) != (R_i < R_j)] (SIMPLER: Li et al. 2024, arXiv:2405.05941),
    or as the convention says. The argument order here is (predicted, real), always. No interval: see
    `trial_bootstrap(mmrv_statistic(), ...)` and `mmrv_from_noise`. `n` is K; absent below two policies.
    Raises ValueError for values that are not finite or lists that do not match.
    """
    first, second = as_vectors(predicted, real)
    method = f"{convention.name} over policies"
    if len(first) < 2:
        return Estimate.absent(len(first), method, as_level(level), too_few(len(first), 2))
    return Estimate(float(convention.values(first, second)), None, None, len(first), method, as_level(level))


def mmrv_statistic(convention: MmrvConvention = SIMPLER) -> Statistic:
    """MMRV for `trial_bootstrap`. Percentile: its upper, pessimistic limit holds (measured in `resampling`)."""
    return Statistic(convention.name, convention.values, "percentile", min_policies=2)


@dataclass(frozen=True)
class Choice:
    """What picking the best-predicted policy costs.

    `regret`: R_max - R_chosen. `top_one`: 1 if the choice is a best policy, 0 if not. With several best-predicted
    policies, both are means over picking one of them at random. `chosen`, `best`: indices. All absent at K = 0.
    """

    regret: float | None
    top_one: float | None
    chosen: tuple[int, ...]
    best: tuple[int, ...]
    n: int

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)


def choice(predicted: ArrayLike, real: ArrayLike) -> Choice:
    """Regret and top-1 of [K] predicted against [K] real rates. Raises ValueError as `mmrv`."""
    first, second = as_vectors(predicted, real)
    if len(first) == 0:
        return Choice(None, None, (), (), 0)
    chosen = tuple(int(i) for i in np.flatnonzero(first == first.max()))
    best = tuple(int(i) for i in np.flatnonzero(second == second.max()))
    return Choice(float(REGRET.values(first, second)), float(TOP_ONE.values(first, second)), chosen, best, len(first))


def _regret_values(predicted: FloatArray, real: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]."""
    chosen = predicted == predicted.max(-1, keepdims=True)
    return np.asarray(real.max(-1) - (real * chosen).sum(-1) / chosen.sum(-1))


def _top_one_values(predicted: FloatArray, real: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]."""
    chosen = predicted == predicted.max(-1, keepdims=True)
    best = real == real.max(-1, keepdims=True)
    return np.asarray((chosen & best).sum(-1) / chosen.sum(-1))


def _bias_values(predicted: FloatArray, real: FloatArray) -> FloatArray:
    """[..., K], [..., K] -> [...]."""
    return np.asarray((predicted - real).mean(-1))


REGRET = Statistic("regret", _regret_values)
TOP_ONE = Statistic("top-1", _top_one_values)
BIAS = Statistic("bias", _bias_values)


def bias(predicted: ArrayLike, real: ArrayLike, level: float = 0.95) -> Estimate:
    """Mean of predicted - real over [K] policies (below 0: the prediction is pessimistic), with Student's t interval.

    The interval takes the policies as a sample of policies; for these policies and other trials, use
    `trial_bootstrap(BIAS, ...)`. `n` is K; absent at K = 0, no interval at K = 1. Raises ValueError as `mmrv`.
    """
    first, second = as_vectors(predicted, real)
    k, level = len(first), as_level(level)
    method = "mean of predicted - real over policies, Student t"
    if k == 0:
        return Estimate.absent(0, method, level, "no policies")
    difference = first - second
    mean = float(difference.mean())
    if k == 1:
        return Estimate(mean, None, None, 1, method, level, "no interval: one policy has no spread")
    reach = float(student_t.ppf((1 + level) / 2, k - 1) * difference.std(ddof=1) / np.sqrt(k))
    return Estimate(mean, mean - reach, mean + reach, k, method, level)
