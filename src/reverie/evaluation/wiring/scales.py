"""How many times too large the actions are, all dimensions of a unit together, whatever else is wrong with them.

Both what a policy says and what was recorded are noisy, and a right policy says less than was done where it does not know.
So the two directions are judged apart, from sums over all actions. Too large: the ratio of what is said to what was recorded,
sqrt(S_pp / S_rr), which for a right policy is below 1. Too small: S_pp / |S_pr|, the upper of the two bounds between which the
factor lies with errors in both (Frisch 1934, "Statistical Confluence Analysis"), which for a right policy is 1. And turned
back by the factor, the answers must predict better than the mean action: a policy that knows nothing is not a wrong scale.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reverie.core import ActionSpec
from reverie.evaluation.wiring.asking import Array
from reverie.stats import mean_above_zero

DRAWS, LEVEL, ALPHA = 2000, 0.95, 0.01
COMMON = {
    2.0: "2: as of a controller at half the rate",
    0.5: "1/2: as of a controller at twice the rate",
    3.0: "3: as of a controller at a third of the rate",
    1 / 3: "1/3: as of a controller at three times the rate",
}
ANGLES = {180 / math.pi: "57: degrees for radians", math.pi / 180: "1/57: radians for degrees"}
LENGTHS = {1000.0: "1000: mm for m", 0.001: "1/1000: m for mm"}
NEXT = math.sqrt(2)
"""Beyond it a factor is nearer to 2 (or 1/2), the smallest mistake of the table, than to 1."""


@dataclass(frozen=True)
class Scale:
    """low: of the ratio of sizes, high: of the upper bound, as bootstrap limits over episodes (everything together at 95 %).
    None: the answers do not go with what was recorded, so that nothing can be said. words: the mistake, if there is one."""

    name: str
    low: float | None
    high: float | None
    words: str | None = None


def scales(said: Sequence[Array], recorded: Sequence[Array], spec: ActionSpec) -> list[Scale]:
    """said, recorded: [R, T, A] an episode. Each dimension, then all of a unit and mode together where those are several.

    Mistakes change a unit as a whole, and it alone is judged: a policy that learned the median of a noisy dimension says
    less than was done there, and is right.
    """
    valid = [np.isfinite(r).all(-1) for r in recorded]
    p, r = (_centred([v[k] for v, k in zip(side, valid, strict=True)], spec) for side in (said, recorded))
    kinds = list(zip(spec.units, spec.modes, strict=True))
    groups = {name: [i] for i, name in enumerate(spec.names)}
    for kind in dict.fromkeys(kinds):
        members = [i for i, own in enumerate(kinds) if own == kind]
        groups[" ".join(spec.names[i] for i in members)] = members  # one alone is there already
    found = []
    for name, members in groups.items():
        said_here, recorded_here = ([v[:, members] for v in side] for side in (p, r))
        scale = _scale(name, said_here, recorded_here, spec.units[members[0]], len(groups))
        is_whole = len(members) == kinds.count(kinds[members[0]])
        found.append(scale if is_whole else replace(scale, words=None))
    return found


def _centred(side: list[Array], spec: ActionSpec) -> list[Array]:
    """Absolute numbers have no zero of their own."""
    middle = np.where([mode == "absolute" for mode in spec.modes], np.concatenate(side).mean(0), 0.0)
    return [v - middle for v in side]


def _scale(name: str, p: list[Array], r: list[Array], unit: str, n_groups: int) -> Scale:
    """p, r: [N, D] an episode."""
    sums = np.array([[(a * a).sum(), (b * b).sum(), (a * b).sum()] for a, b in zip(p, r, strict=True)])  # [E, 3]
    drawn = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    pp, rr, pr = sums[drawn].sum(1).T  # [D]
    tail = (1 - LEVEL) / n_groups
    if (rr <= 0).any() or (pp <= 0).any() or np.quantile(pr, tail / 2) <= 0 <= np.quantile(pr, 1 - tail / 2):
        return Scale(name, None, None)
    low = float(np.quantile(np.sqrt(pp / rr), tail))
    high = float(np.quantile(pp / np.maximum(np.abs(pr), 1e-12), 1 - tail))
    if high >= 1 / NEXT and low <= NEXT:
        return Scale(name, low, high)
    factor, words = _nearest(float(np.sqrt(sums[:, 0].sum() / sums[:, 1].sum())), r, unit)
    return Scale(name, low, high, words if _predicts(p, r, factor) else None)


def _nearest(ratio: float, r: list[Array], unit: str) -> tuple[float, str]:
    deviation = max(float(np.concatenate(r).std()), 1e-9)
    known = COMMON | (ANGLES if unit == "rad" else LENGTHS if unit == "m" else {})
    known = known | {
        1 / deviation: f"{1 / deviation:.3g}: normalised numbers, not turned back",
        deviation: f"{deviation:.3g}: turned back from normalised twice",
    }
    nearest = min(known, key=lambda k: abs(math.log(k / ratio)))
    return nearest, known[nearest]


def _predicts(p: list[Array], r: list[Array], factor: float) -> bool:
    """Do the answers, turned back (and with the sign that fits), predict better than the mean action?"""
    mean = np.concatenate(r).mean(0)
    sign = np.sign(sum(float((a * b).sum()) for a, b in zip(p, r, strict=True)))
    gains = [float(((b - mean) ** 2).mean() - ((sign * a / factor - b) ** 2).mean()) for a, b in zip(p, r, strict=True)]
    found = mean_above_zero(gains, "episodes")
    return found.value is not None and found.value <= ALPHA
