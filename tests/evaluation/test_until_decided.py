"""Stop when it is decided: rarely for nothing, soon for something, and with a journal like any other."""

from dataclasses import replace

import numpy as np
import pytest
from runs import DREAM, RECORDED, TRUE, reach, request

from reverie.core import Outcome, ReverieError
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.blocks import blocks_of
from reverie.evaluation.engine import engine_for
from reverie.evaluation.entrants import entrants
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.outcomes import View
from reverie.evaluation.standings import standings
from reverie.evaluation.until_decided import Question, UntilDecided, arranged, decided, question_of
from reverie.judges.errors import JudgeErrors
from reverie.trials import TRIALS, Receipt, differences

GOOD, BAD = "reach0.9", "reach0.1"
VIEW = View("true", "recorded")


def plan(scenes=40, **changes):
    fields = {"policies": (reach(0.9), reach(0.1), reach(0.5)), "scenes": (f"fake:{scenes}",), "n_steps": 25}
    return make_plan(request(**{**fields, **changes}))


def asking(what, processes=1, within=None, names=(GOOD, BAD)):
    return UntilDecided(question_of(what, names, within), engine_for(processes))


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_decided_run_stops_and_goes_on_from_there(tmp_path, processes):
    what = plan()
    engine = asking(what, processes)
    stopped = evaluate(what, tmp_path / "run", engine=engine)
    assert engine.decision.better == GOOD
    assert stopped.n_trials < 80 < 40 * 9
    assert {t.key.policy for t in TRIALS.read(tmp_path / "run")} == {GOOD, BAD}
    assert f"{GOOD} is better" in engine.words(360, stopped.n_trials)
    assert f"Saved {360 - stopped.n_trials} of 360 trials, about" in engine.words(360, stopped.n_trials)
    again = asking(what)
    assert evaluate(what, tmp_path / "run", engine=again).n_new == 0
    assert again.decision == engine.decision
    found = standings(entrants([tmp_path / "run"], [GOOD, BAD]))
    assert not found.fixed
    assert found.matches[0].separated


def test_the_rest_can_be_computed_and_is_that_of_an_uninterrupted_run(tmp_path):
    what = plan(9, policies=(reach(0.9), reach(0.1)), n_steps=20)
    engine = asking(what, within=0.9)
    evaluate(what, tmp_path / "run", engine=engine)
    assert engine.decision is not None
    assert evaluate(what, tmp_path / "run").n_new > 0
    evaluate(what, tmp_path / "whole")
    assert differences(tmp_path / "run", tmp_path / "whole") == []


def test_an_open_question_computes_the_plan(tmp_path):
    what = plan(3)
    engine = asking(what, names=(GOOD, "reach0.5"))
    assert evaluate(what, tmp_path / "run", engine=engine).n_trials == 27
    assert engine.decision is None
    assert engine.words(27, 27) == "Not decided: every planned trial ran."


def test_both_policies_get_on_alike_and_take_turns():
    what = plan(12)
    blocks = arranged(blocks_of(what), Question(BAD, GOOD, VIEW))
    names = [(b.policy.name, b.id[-1]) for b in blocks[:8]]
    assert names == [(BAD, "0"), (GOOD, "0"), (GOOD, "1"), (BAD, "1"), (BAD, "2"), (GOOD, "2"), (GOOD, "3"), (BAD, "3")]
    assert sorted(b.id for b in blocks) == sorted(b.id for b in blocks_of(what))


def outcomes(hits):
    return [Outcome.SUCCESS if hit else Outcome.FAILURE for hit in hits]


def test_equal_policies_are_rarely_told_apart_however_often_one_looks():
    rng, question, wrong = np.random.default_rng(0), Question("x", "y", VIEW), 0
    for _ in range(300):
        one, two = (outcomes(rng.random(150) < 0.5) for _ in range(2))
        wrong += (
            decided(question, one, two) is not None
        )  # the test keeps its largest e-value: it has looked at every pair
    assert wrong <= 0.05 * 300 + 3 * np.sqrt(0.05 * 0.95 * 300)


def test_alike_is_an_answer_where_a_margin_is_given():
    same = outcomes([True, False] * 200)
    assert decided(Question("x", "y", VIEW), same, same) is None
    found = decided(Question("x", "y", VIEW, within=0.05), same, same)
    assert (found.better, found.n) == (None, 400)


def test_what_was_not_scored_is_no_pair():
    good, bad = outcomes([True] * 20), outcomes([False] * 20)
    assert decided(Question("x", "y", VIEW), good, bad).better == "x"
    assert decided(Question("x", "y", VIEW), bad, good).better == "y"
    assert decided(Question("x", "y", VIEW), [Outcome.ERROR] * 20, bad) is None


def test_alike_is_about_true_success_where_the_judge_knows_its_errors():
    """A judge that shows half of every difference: calls that are alike within 6 points are truly so within 12."""
    question, same = Question("x", "y", VIEW, within=0.06), outcomes([True, False] * 200)
    half = Erring("generated", JudgeErrors(7500, 10_000, 7500, 10_000))
    assert decided(question, same, same).better is None
    assert decided(question, same, same, half) is None
    assert decided(replace(question, within=0.12), same, same, half).better is None
    good, bad = outcomes([True] * 40), outcomes([False] * 40)
    assert decided(question, good, bad, half).better == "x"
    assert decided(question, good, bad, half).difference.value == 1


def test_a_judge_that_may_be_guessing_decides_nothing(tmp_path):
    """It tells so in its receipts, which come with the first block, and are in the journal when the run goes on."""
    what = plan(12, policies=(reach(0.9), reach(0.1)), worlds=(TRUE,), judges=(RECORDED,))
    sure, guessing = JudgeErrors(40, 40, 40, 40), JudgeErrors(11, 20, 12, 20)
    for name, errors in (("sure", sure), ("guessing", guessing)):
        engine = UntilDecided(question_of(what, (GOOD, BAD)), telling(engine_for(1), errors))
        found = evaluate(what, tmp_path / name, engine=engine)
        assert (engine.decision is None) == (name == "guessing")
    assert found.n_trials == 24
    again = asking(what)
    assert evaluate(what, tmp_path / "guessing", engine=again).n_new == 0
    assert again.decision is None


def telling(inner, errors):
    about = {"name": "recorded", "version": "1", "held_out_errors": {"recorded": errors.to_dict()}}

    def engine(plan, folder, blocks):
        for result in inner(plan, folder, blocks):
            yield replace(result, receipts=[*result.receipts, Receipt({"judge": about})])

    return engine


def test_questions_that_make_no_sense():
    with pytest.raises(ReverieError, match="unknown policy 'nobody'"):
        question_of(plan(2), (GOOD, "nobody"))
    with pytest.raises(ReverieError, match="twice"):
        question_of(plan(2), (GOOD, GOOD))
    with pytest.raises(ReverieError, match="within is 5"):
        question_of(plan(2), (GOOD, BAD), 5)
    alone = question_of(make_plan(request(truth=None, worlds=(DREAM, TRUE), judges=(RECORDED,))), (GOOD, "reach0.3"))
    assert alone.view == View("dream", "recorded")
