"""A judge's confusion matrix goes from its receipt into the rates that rest on it."""

import json

import pytest
from runs import DREAM, RECORDED, TRUE, reach, run

from reverie.core import Verdict
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View
from reverie.evaluation.summary import write_summary
from reverie.report import write_report
from reverie.stats import corrected_rate

GENERATED = {"true_positives": 28, "n_successes": 35, "true_negatives": 30, "n_failures": 45}
REAL = {"true_positives": 35, "n_successes": 35, "true_negatives": 44, "n_failures": 45}


class Learned:
    """Calls every second trial a success, and knows how often it is wrong."""

    name, version, about = "learned", "1", {"held_out_errors": {"generated": GENERATED, "recorded": REAL}}

    def judge(self, episodes):
        return [Verdict(self.name, self.version, i % 2 == 0) for i in range(len(episodes))]


def test_rates_carry_the_errors_on_frames_of_their_kind(tmp_path):
    run(
        tmp_path,
        policies=(reach(0.9),),
        worlds=(TRUE, DREAM),
        scenes=("fake:6",),
        judges=(RECORDED,),
        n_steps=4,
        block_size=6,
    )
    judge_again(tmp_path, Learned())
    summary = write_summary(tmp_path)
    found = {c.view: c for c in summary.corrections}
    assert set(found) == {View(w, "learned") for w in ("true", "dream", "dream+replay")}
    assert found[View("true", "learned")].success == corrected_rate(3, 6, **REAL)
    dreamt = found[View("dream", "learned")]
    assert (dreamt.frames, dreamt.success) == ("generated", corrected_rate(3, 6, **GENERATED))
    (raw,) = [r for r in summary.rates if r.view == dreamt.view]
    assert dreamt.success.high - dreamt.success.low > raw.success.high - raw.success.low
    assert dreamt.success.value != pytest.approx(raw.success.value)
    stored = json.loads((tmp_path / "summary.json").read_text())["corrected_for_the_judge"]
    assert len(stored) == 3
    assert "corrected for the judge" in write_report(tmp_path).read_text()


def test_a_judge_that_does_not_know_its_errors_corrects_nothing(tmp_path):
    run(tmp_path, policies=(reach(0.9),), worlds=(TRUE,), scenes=("fake:2",), judges=(RECORDED,), n_steps=4)
    assert write_summary(tmp_path).corrections == ()
    assert "corrected for the judge" not in write_report(tmp_path).read_text()
