"""Rating a run: blind, in an order that is stored, durable, resumable, and seen by everything downstream."""

import json

import pytest

from reverie.annotation import Answer, Session, rating_of
from reverie.cli.judges import main as judges_verb
from reverie.core import Outcome, ReverieError
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, Journal

N = 12  # trials of the run that have a clip


def ratings(folder, raters=("anna",), **options):
    journal = Journal(folder)
    return journal, rating_of(journal, raters, **options)


def test_nothing_that_is_shown_names_policy_world_or_scene(run_folder):
    journal, (rating,) = ratings(run_folder)
    with journal:
        session = Session(rating)
        for _ in range(N):
            shown = json.dumps(session.state())
            for name in ("reach_", "physics_x", "dream_x", "replay", "fake", str(run_folder)):
                assert name not in shown
            session.choose(session.state()["item"], {"success": None})
            session.next(session.state()["item"])
        assert session.finished


def test_every_answer_is_a_verdict_at_once_and_the_rest_is_left_for_later(run_folder):
    journal, (rating,) = ratings(run_folder)
    with journal:
        session = Session(rating)
        first, second = rating.open_items()[:2]
        times = session.state()["times_s"]
        session.choose(0, {"success": True, "frame": 2})
        session.next(0)
        session.choose(1, {"success": False, "level": 1})
        session.next(1)
        session.choose(2, {"success": True})  # never gone on: nothing is written
        left = rating.open_items()
    journal, (again,) = ratings(run_folder)
    with journal:
        assert len(again.open_items()) == N - 2
        assert not {first, second} & set(again.open_items())
        assert again.open_items() == left
    mine = {v.key.id: v.verdict for v in VERDICTS.read(run_folder) if v.verdict.judge == "human:anna"}
    assert set(mine) == {first, second}
    assert (mine[first].success, mine[first].progress) == (True, 1.0)
    assert mine[first].success_time_s == pytest.approx(times[2])
    assert (mine[second].success, mine[second].progress, mine[second].success_time_s) == (False, 0.25, None)
    (about,) = [r.content["judge"] for r in RECEIPTS.read(run_folder) if "judge" in r.content]
    assert about["version"] == mine[first].judge_version
    assert "right object" in about["question"]


def test_an_answer_can_be_changed_and_undone_until_the_next(run_folder):
    journal, (rating,) = ratings(run_folder)
    with journal:
        session = Session(rating)
        session.choose(0, {"success": True, "frame": 1})
        assert session.undo(0)["pending"] is None
        with pytest.raises(ReverieError, match="nothing is chosen"):
            session.next(0)
        session.choose(0, {"success": True})
        assert session.choose(0, {"success": False})["pending"]["success"] is False
        session.next(0)
        with pytest.raises(ReverieError, match="load it again"):
            session.undo(0)
    assert [v.verdict.success for v in VERDICTS.read(run_folder) if v.verdict.judge == "human:anna"] == [False]


@pytest.mark.parametrize(
    "value",
    [{}, {"success": 1}, {"success": "yes"}, {"success": True, "frame": 99}, {"success": True, "frame": True},
     {"success": False, "frame": 1}, {"success": True, "level": 1}, {"success": False, "level": 4}],
)  # fmt: skip
def test_answers_that_no_page_sends_are_refused(run_folder, value):
    journal, (rating,) = ratings(run_folder)
    with journal, pytest.raises(ReverieError, match="expected"):
        Answer.from_dict(value, rating.clip(rating.open_items()[0]), rating.levels)


def test_the_order_is_the_raters_own_and_the_sample_is_everybodys(run_folder):
    journal, (anna, ben) = ratings(run_folder, ("anna", "ben"), sample=6, seed=3)
    with journal:
        assert set(anna.open_items()) == set(ben.open_items())
        assert anna.open_items() != ben.open_items()
        order = anna.open_items()
    journal, (again,) = ratings(run_folder, sample=6)
    with journal:
        assert again.open_items() == order
        with pytest.raises(ReverieError, match="began with seed 3"):
            rating_of(journal, ["anna"], seed=4)
        assert order != sorted(order)
        with pytest.raises(ReverieError, match="letters"):
            rating_of(journal, ["an na"])
        with pytest.raises(ReverieError, match="each once"):
            rating_of(journal, ["anna", "anna"])
        with pytest.raises(ReverieError, match="no trial in mars"):
            rating_of(journal, ["anna"], worlds=["mars"])


def test_two_raters_and_every_other_judge_are_compared(run_folder, capsys):
    journal, (anna, ben) = ratings(run_folder, ("anna", "ben"))
    truths = {t.key.id: i % 2 == 0 for i, t in enumerate(TRIALS.read(run_folder))}
    odd = sorted(truths)[0]
    with journal:
        for rating in (anna, ben):
            for item in rating.open_items():
                says = truths[item] != (rating is ben and item == odd)
                rating.write(item, Answer(says), rating.clip(item))
    assert judges_verb([str(run_folder), "--json"]) == 0
    pairs = json.loads(capsys.readouterr().out)["pairs"]
    (both,) = [p for p in pairs if (p["first"], p["second"], p["world"]) == ("human:anna", "human:ben", "all worlds")]
    assert (both["both"] + both["neither"], both["only_first"] + both["only_second"], both["n_left_out"]) == (11, 1, 0)
    assert both["disagreements"] == [odd]
    assert both["agreement"]["kappa"]["value"] == pytest.approx((11 / 12 - 0.5) / 0.5)  # anna calls half a success
    table = read_outcomes(run_folder)
    seen = table.outcomes[View("dream_x", "human:anna")]
    assert {o for cells in seen.values() for o in cells.values()} <= {Outcome.SUCCESS, Outcome.FAILURE}
