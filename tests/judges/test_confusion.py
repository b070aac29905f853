"""Confusion and AUC against counts by hand and pairs by force."""

import itertools

import numpy as np
import pytest

from reverie.core import Verdict
from reverie.judges import auc, confusion, confusion_by, corrected
from reverie.stats import corrected_rate


def _verdict(success: bool | None, probability: float | None = None) -> Verdict:
    return Verdict("j", "1", success, probability=probability)


def test_counts_and_abstentions() -> None:
    verdicts = [_verdict(v) for v in (True, True, False, False, None, True)]
    truths = [True, False, False, True, True, None]
    found = confusion(verdicts, truths)
    assert (found.true_positive, found.false_positive, found.true_negative, found.false_negative) == (1, 1, 1, 1)
    assert (found.n_abstained, found.n_unlabelled) == (1, 1)
    assert found.accuracy.value == 0.5
    assert found.accuracy.n == 4
    assert found.auc.value is None


def test_a_rate_is_corrected_for_the_confusion() -> None:
    verdicts = [_verdict(v) for v in [True] * 9 + [False] + [True] * 2 + [False] * 8]
    found = confusion(verdicts, [True] * 10 + [False] * 10)
    assert corrected(found, 30, 50) == corrected_rate(30, 50, 9, 10, 8, 10)


def test_wilson_interval_of_a_textbook_case() -> None:
    found = confusion([_verdict(True)] * 81 + [_verdict(False)] * 182, [True] * 263)
    assert found.sensitivity.low == pytest.approx(0.2553, abs=1e-4)  # Newcombe 1998, table I, method 3: 81 of 263
    assert found.sensitivity.high == pytest.approx(0.3662, abs=1e-4)
    assert found.specificity.value is None


def test_auc_is_the_share_of_ordered_pairs() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(60) < 0.4
    score = np.round(rng.random(60) + 0.4 * truth, 1)  # with ties
    pairs = [(1.0 if a > b else 0.5 if a == b else 0.0) for a, b in itertools.product(score[truth], score[~truth])]
    found = auc(list(zip(score.tolist(), truth.tolist(), strict=True)))
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low is not None
    assert found.low < found.value < found.high
    assert auc([(0.1, False), (0.9, True)]).value == 1.0


def test_groups() -> None:
    verdicts = [_verdict(True, 0.9), _verdict(False, 0.2), _verdict(True, 0.8)]
    found = confusion_by(lambda i: ("a", "b", "b")[i], verdicts, [True, True, True])
    assert found["a"].accuracy.value == 1.0
    assert found["b"].accuracy.value == 0.5
