"""How often a judge errs, as counts that travel with it: measured on held-out episodes, real and generated ones apart.

The counts are cross-fitted: each episode is called by a threshold that was calibrated without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from reverie.judges.calibration import calibrated
from reverie.judges.holding import HoldRule

RECORDED, GENERATED = "recorded", "generated"
ERRORS = "held_out_errors"
"""The key of `JudgeErrors` by kind of frames, in the receipts of a judge's checkpoint and of the runs it judged."""
FOLDS = 5


@dataclass(frozen=True)
class JudgeErrors:
    """true_positives: of `n_successes` true successes, those called so; true_negatives: of `n_failures`, likewise."""

    true_positives: int
    n_successes: int
    true_negatives: int
    n_failures: int

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


def errors_of(called: Sequence[bool], truths: Sequence[bool]) -> JudgeErrors:
    """Counts of calls and truths of the same episodes."""
    pairs = list(zip(called, truths, strict=True))
    return JudgeErrors(
        true_positives=sum(c and t for c, t in pairs),
        n_successes=sum(truths),
        true_negatives=sum(not c and not t for c, t in pairs),
        n_failures=len(pairs) - sum(truths),
    )


def cross_fitted(rule: HoldRule, scores: Sequence[float], truths: Sequence[bool], generated: Sequence[bool]) -> Mapping[str, JudgeErrors]:  # fmt: skip
    """By kind of frames, those that there are. Scores, truths and kinds are of the same episodes, in any order."""
    called = np.zeros(len(scores), dtype=bool)
    folds = np.arange(len(scores)) % FOLDS
    for fold in range(FOLDS):
        others = [i for i in range(len(scores)) if folds[i] != fold]
        known = [truths[i] for i in others]
        fitted = rule
        if any(known) and not all(known):
            fitted = calibrated(rule, [scores[i] for i in others], known, [int(generated[i]) for i in others])
        called[folds == fold] = np.asarray(scores)[folds == fold] > fitted.threshold
    found = {}
    for kind, flag in ((RECORDED, False), (GENERATED, True)):
        chosen = [i for i, g in enumerate(generated) if bool(g) is flag]
        if chosen:
            found[kind] = errors_of([bool(called[i]) for i in chosen], [bool(truths[i]) for i in chosen])
    return found
