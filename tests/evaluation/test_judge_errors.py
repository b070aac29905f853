"""A judge's confusion matrix goes from its receipt into the rates, differences and words that rest on it."""

import json
from dataclasses import replace

import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, run

from reverie.core import Verdict
from reverie.evaluation.comparison import compare
from reverie.evaluation.entrants import entrants
from reverie.evaluation.gate import gate
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.standings import standings
from reverie.evaluation.summary import write_summary
from reverie.evaluation.validity import of_run
from reverie.evaluation.verdict import verdict
from reverie.report import write_report
from reverie.report.validity import text
from reverie.stats import corrected_bias, corrected_difference, corrected_rate
from reverie.stats.formats import points

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


class Noisy:
    """Calls what was recorded, wrongly now and then; the same calls whatever it knows of its errors."""

    name, version = "noisy", "1"

    def __init__(self, errors):
        self.about = {"held_out_errors": errors} if errors else {}

    def judge(self, episodes):
        return [Verdict(self.name, self.version, e.success if i % 5 else not e.success) for i, e in enumerate(episodes)]


def judged(folder, errors):
    run(folder, policies=(reach(0.95), reach(0.1)), worlds=(TRUE,), scenes=("fake:40",), judges=(RECORDED,), n_steps=30, block_size=20, truth=None)  # fmt: skip
    judge_again(folder, Noisy(errors))
    return entrants([folder], judge="noisy")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    base = tmp_path_factory.mktemp("noisy")
    guessing = {"generated": {"true_positives": 11, "n_successes": 20, "true_negatives": 12, "n_failures": 20}}
    errors = {"known": {"generated": GENERATED}, "unknown": {}, "guessing": guessing}
    return {name: judged(base / name, e) for name, e in errors.items()}, base


def test_differences_and_the_verdict_are_corrected_and_tests_stay(noisy):
    known, unknown = (standings(noisy[0][name]) for name in ("known", "unknown"))
    match, raw = known.matches[0], unknown.matches[0]
    assert raw.corrected is None
    assert match.corrected == corrected_difference(raw.difference, **GENERATED)
    assert match.corrected.value > raw.difference.value
    assert (match.p, match.p_holm, match.difference) == (raw.p, raw.p_holm, raw.difference)
    assert [s.letters for s in known.policies] == [s.letters for s in unknown.policies] == ["a", "b"]
    best = known.policies[0]
    assert best.corrected == corrected_rate(round(best.success.value * 40), 40, **GENERATED)
    assert points(match.corrected) in verdict(known)[0]
    assert points(raw.difference) in verdict(unknown)[0]
    assert "on generated frames (right about 28 of 35 held-out successes and 30 of 45 failures)" in known.judged
    assert unknown.judged == "How often noisy errs was not measured: nothing is corrected for it"


def test_a_judge_that_may_be_guessing_calls_nobody_better(noisy):
    found = standings(noisy[0]["guessing"])
    assert found.matches[0].p_holm <= 0.05
    assert found.matches[0].corrected.value is None
    assert {s.letters for s in found.policies} == {"a"}
    assert verdict(found) == ["reach0.95 and reach0.1 cannot be told apart"]
    assert "nobody is called better: the judge is not known to tell success from failure" in found.notes[0]


def test_a_gate_is_one_of_true_success(noisy):
    known, unknown, guessing = (gate(noisy[0][name], 0.05) for name in ("known", "unknown", "guessing"))
    assert known.checks[0].difference == corrected_difference(unknown.checks[0].difference, **GENERATED)
    assert guessing.state == "cannot tell"
    assert "not known to tell success from failure" in guessing.words()[0]


def test_what_is_not_finished_is_corrected_peeking_safe(noisy):
    whole = noisy[0]["known"]
    some = replace(whole, policies=tuple(replace(e, cells=dict(list(e.cells.items())[:30])) for e in whole.policies))
    found = standings(some)
    assert not found.fixed
    assert "Bonferroni" in found.matches[0].corrected.method
    assert found.matches[0].corrected.high - found.matches[0].corrected.low > 0.3
    assert "Bonferroni" in found.policies[0].corrected.method


def test_two_runs_that_tell_other_errors_are_not_corrected(noisy):
    base = noisy[1]
    found = standings(entrants([base / "known", base / "unknown"], judge="noisy"))
    assert found.errors is None
    assert any("does not err alike in both runs" in note for note in found.notes)
    assert standings(entrants([base / "known", base / "known"], judge="noisy")).errors.counts.n_successes == 35


def test_the_bias_is_corrected_and_nothing_else_of_a_comparison(tmp_path):
    run(tmp_path, policies=tuple(reach(s) for s in (0.9, 0.5, 0.2)), scenes=("fake:12",), judges=(RECORDED, FRAMES), n_steps=20, block_size=12, replay=False)  # fmt: skip
    judge_again(tmp_path, Alternating({"generated": GENERATED}))
    table, view = read_outcomes(tmp_path), View("dream", "alternating")
    known, unknown = (compare(t, view, View("true", "recorded")) for t in (table, replace(table, errors={})))
    rates = ([e.value for e in side] for side in (known.predicted, known.true))
    assert known.bias_corrected == corrected_bias(*rates, **GENERATED)
    assert unknown.bias_corrected is None
    assert replace(known, bias_corrected=None) == unknown
    found = of_run(table, known)
    assert found.to_dict()["bias_corrected"] == known.bias_corrected.to_dict()
    assert "once corrected for the judge's errors" in text(found)
    page = write_report(tmp_path).read_text()
    assert "corrected for the judge's errors" in page
    assert "(not known: dream, judged by fake_frames; true, judged by alternating; true, judged by fake_frames)" in page


class Alternating(Noisy):
    name = "alternating"

    def judge(self, episodes):
        return [Verdict(self.name, self.version, i % 3 > len(e.instruction) % 2) for i, e in enumerate(episodes)]


def test_the_report_says_which_intervals_are_corrected(tmp_path):
    """Ranked by a judge of generated frames, as nothing else is scored there."""
    for name, errors in (("known", {"generated": GENERATED}), ("unknown", {})):
        run(tmp_path / name, worlds=(DREAM,), truth=None, judges=(RECORDED,), scenes=("fake:12",), n_steps=4, block_size=12)  # fmt: skip
        judge_again(tmp_path / name, Alternating(errors))
    known, unknown = (write_report(tmp_path / name).read_text() for name in ("known", "unknown"))
    assert "Corrected for the errors of alternating on generated frames" in known
    assert '<th colspan="2">corrected for the judge&#39;s errors</th>' in known.replace("judge's", "judge&#39;s")
    assert "How often alternating errs was not measured: nothing is corrected for it." in unknown
    assert "corrected for the judge's errors" not in unknown
