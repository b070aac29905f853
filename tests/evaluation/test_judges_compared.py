"""Agreement between the judges of a run: counts, what was left out, kappa by hand."""

from collections.abc import Sequence

import pytest
from runs import RECORDED, TRUE, reach, run

from reverie.core import ReverieError, Verdict
from reverie.evaluation.judges import ALL, compare_judges
from reverie.evaluation.judging import judge_again


class Says:
    """Takes its answers from a list, trial after trial."""

    version = "1"

    def __init__(self, name: str, answers: Sequence[bool | str | None]) -> None:
        self.name, self._answers = name, list(answers)

    def judge(self, episodes):
        said = [self._answers.pop(0) for _ in episodes]
        return [
            Verdict(self.name, "1", None, reason=a, scored=False) if isinstance(a, str) else Verdict(self.name, "1", a)
            for a in said
        ]


def test_counts_kappa_and_what_was_left_out(tmp_path):
    run(tmp_path, policies=(reach(0.9),), worlds=(TRUE,), scenes=("fake:10",), judges=(RECORDED,), n_steps=4)
    judge_again(tmp_path, Says("a", [True] * 4 + [False] * 4 + [None, True]))
    judge_again(tmp_path, Says("b", [True, True, True, False, False, False, True, False, True, "?"]))
    found = compare_judges(tmp_path)
    (pair,) = [p for p in found.pairs if (p.first, p.second) == ("a", "b")]
    assert (pair.both, pair.only_first, pair.only_second, pair.neither, pair.n) == (3, 1, 1, 3, 8)
    assert pair.n_left_out == 2
    assert pair.left_out == {"a": {"abstained": 1}, "b": {"not_scored": 1}}
    assert len(pair.disagreements) == 2
    kappa = pair.agreement.kappa
    assert kappa.value == pytest.approx((6 / 8 - 0.5) / 0.5)
    assert kappa.n == 8
    assert kappa.low < kappa.value < kappa.high
    assert found.outcomes["a"] == {"abstained": 1, "failure": 4, "success": 5}


def test_worlds_are_apart_and_together(tmp_path):
    run(tmp_path, scenes=("fake:3",), n_steps=12)
    found = compare_judges(tmp_path)
    worlds = {p.world for p in found.pairs}
    assert {"true", "dream", "dream+replay", ALL} == worlds
    together = next(p for p in found.pairs if p.world == ALL)
    assert together.n + together.n_left_out == found.n_trials
    dream = next(p for p in found.pairs if p.world == "dream")
    assert dream.n == 0
    assert dream.agreement.kappa.value is None
    assert found.only(["recorded"]).pairs == ()


def test_a_judge_without_a_verdict_is_still_there_and_no_run_is_an_error(tmp_path):
    run(tmp_path, judges=(RECORDED,), worlds=(TRUE,), policies=(reach(0.9),), scenes=("fake:1",), n_steps=2)
    (tmp_path / "verdicts.jsonl").unlink()
    found = compare_judges(tmp_path)
    assert found.outcomes == {"recorded": {"not_scored": 1}}
    with pytest.raises(ReverieError, match=r"plan\.json"):
        compare_judges(tmp_path / "nowhere")
