"""Does a policy listen? It is told what another episode was told, before the same frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverie.core import Estimate, Policy
from reverie.evaluation.wiring.asking import Array, Asked, squared
from reverie.stats import PValue, bootstrap_mean, mean_above_zero

UNIT = "episodes"


@dataclass(frozen=True)
class Listening:
    """change: how far the answers move, in standard deviations (root mean square over dimensions), more than when the same is
    asked twice. gain: what the answers fit better when the policy is told the truth. None where only one thing was ever said."""

    change: Estimate
    changes: PValue
    gain: Estimate
    gains: PValue

    @property
    def ignored(self) -> bool:
        return self.changes.value is not None and self.changes.value > 0.05

    @property
    def words(self) -> str:
        if self.ignored:
            return "the instruction is ignored: told something else, it does the same"
        if self.gains.value is not None and self.gains.value > 0.05:
            return "the instruction changes what it does, but what was recorded is not fitted better with the true one"
        return "the instruction is followed: told something else, it does something else, which fits worse"


def listening(policy: Policy, asked: Sequence[Asked], answers: Sequence[Array], weight: Array) -> Listening | None:
    """answers: to the true instructions, [R, T, A] an episode. None unless two episodes were told different things."""
    told = [a.episode.instruction for a in asked]
    if len(set(told)) < 2:
        return None
    changes, gains = [], []
    for i, (one, answer) in enumerate(zip(asked, answers, strict=True)):
        other = next(t for t in (*told[i + 1 :], *told) if t != told[i])
        swapped, again = one.answer(policy, instruction=other), one.answer(policy)
        changes.append(_distance(swapped, answer, weight) - _distance(again, answer, weight))
        recorded = one.recorded(answer.shape[1])
        gains.append(squared(swapped - recorded, weight) - squared(answer - recorded, weight))
    return Listening(bootstrap_mean(changes, UNIT), mean_above_zero(changes, UNIT), bootstrap_mean(gains, UNIT), mean_above_zero(gains, UNIT))  # fmt: skip


def _distance(one: Array, other: Array, weight: Array) -> float:
    return float(np.sqrt(squared(one - other, weight / len(weight))))
