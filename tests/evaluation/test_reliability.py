"""How reliable probabilities are, of a judge whose errors are known."""

from pathlib import Path

import numpy as np
import pytest
from runs import RECORDED, TRUE, reach, run

from reverie.core import Verdict
from reverie.core.fakes import RecordedOutcomeJudge
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.reliability import reliabilities

TRUTH = View("true", "recorded")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        run(folder, policies=(reach(0.9), reach(0.35)), worlds=(TRUE,), truth=(TRUE, RECORDED), judges=(RECORDED,), scenes=("python:edited:make",), replicates=3, n_steps=24)  # fmt: skip
    return folder


class Overconfident(RecordedOutcomeJudge):
    """Says 0.95 of every success and of every second failure, else 0.25."""

    def judge(self, episodes):
        said = [e.success or i % 2 == 0 for i, e in enumerate(episodes)]
        return [Verdict("sure", "1", s, probability=0.95 if s else 0.25) for s in said]


def test_reliability_is_that_of_the_truth(folder):
    judge = Overconfident()
    judge.name = "sure"
    judge_again(folder, judge)
    table = read_outcomes(folder)
    (found,) = reliabilities(folder, table)
    truths = [str(o) == "success" for cells in table.outcomes[TRUTH].values() for o in cells.values()]
    assert (found.view, found.n) == (View("true", "sure"), len(truths))
    low, high = found.bins
    assert (low.low, low.said, low.true.value) == (0.2, pytest.approx(0.25), 0.0)
    assert high.said == pytest.approx(0.95)
    assert high.true.value == pytest.approx(sum(truths) / high.true.n)
    wrong = high.true.n - sum(truths)
    assert found.brier == pytest.approx((low.true.n * 0.25**2 + sum(truths) * 0.05**2 + wrong * 0.95**2) / found.n)
    rate = np.mean(truths)
    assert found.brier_of_rate == pytest.approx(rate * (1 - rate))
