"""Who is better: against the tests themselves on hand-made outcomes, and over runs of fakes."""

from dataclasses import replace

import numpy as np
import pytest
from runs import FRAMES, RECORDED, TRUE, reach, run

from reverie.core import Outcome, ReverieError
from reverie.evaluation.entrants import Entrant, Entrants, entrants, in_view
from reverie.evaluation.gate import EXIT_CODES, gate, state_of
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.standings import standings
from reverie.evaluation.verdict import verdict
from reverie.stats import (
    PairedTable,
    boschloo,
    confidence_sequence,
    exact_mcnemar,
    holm,
    paired_difference,
    paired_difference_sequence,
    unpaired_difference,
    wilson,
)

VIEW = View("table", "judge")
MARKS = {"1": Outcome.SUCCESS, "0": Outcome.FAILURE, "e": Outcome.ERROR, "a": Outcome.ABSTAINED}


def entrant(name, marks, first=0, planned=None, run=0):
    """One mark a scene, from scene number `first` on; a space is a trial that has not run."""
    cells = {(f"s{first + i:03}", "none", 0): MARKS[m] for i, m in enumerate(marks) if m != " "}
    scenes = range(first, first + (planned or len(marks)))
    return Entrant(name, name.partition("@")[0], run, tuple((f"s{i:03}", "none", 0) for i in scenes), cells)


def field(*policies):
    return Entrants(VIEW, policies)


def test_pairs_are_compared_by_scene_and_ranked():
    found = standings(field(entrant("bc", "0000000011"), entrant("act", "1111111110"), entrant("rt1", "0010000011")))
    assert [s.policy for s in found.policies] == ["act", "rt1", "bc"]
    assert found.policies[0].success == wilson(9, 10)
    assert [(m.first, m.second) for m in found.matches] == [("act", "rt1"), ("act", "bc"), ("rt1", "bc")]
    tables = [PairedTable(2, 7, 1, 0), PairedTable(1, 8, 1, 0), PairedTable(2, 1, 0, 7)]
    assert [m.difference for m in found.matches] == [paired_difference(t) for t in tables]
    assert [m.p for m in found.matches] == [exact_mcnemar(t) for t in tables]
    assert [m.p_holm for m in found.matches] == pytest.approx(holm([exact_mcnemar(t).value for t in tables]))
    assert found.fixed


def test_letters_and_words_say_the_same():
    good, bad = "1" * 38 + "00", "1" * 8 + "0" * 32
    found = standings(field(entrant("act", good), entrant("rt1", bad), entrant("bc", "0" + bad[:-1])))
    assert [s.letters for s in found.policies] == ["a", "b", "b"]
    said = verdict(found)
    assert said[0].startswith("act beats bc by 75 points [")
    assert said[1].startswith("bc and rt1 cannot be told apart (40 pairs; about ")
    assert len(said) == 2


def test_a_middle_policy_that_is_apart_from_nobody():
    found = standings(field(entrant("a", "1" * 14 + "0" * 6), entrant("b", "1" * 9 + "0" * 11), entrant("c", "1" * 4 + "0" * 16)))  # fmt: skip
    assert [s.letters for s in found.policies] == ["a", "ab", "b"]
    said = verdict(found)
    assert [clause.split(" (")[0] for clause in said if "told apart" in clause] == [
        "a and b cannot be told apart",
        "b and c cannot be told apart",
    ]
    assert any(clause.startswith("a beats c by 50 points") for clause in said)


def test_what_was_left_out_is_counted_and_no_pair():
    found = standings(field(entrant("x", "111e0a"), entrant("y", "1011e1")))
    x, y = sorted(found.policies, key=lambda s: s.policy)
    assert (x.left_out, y.left_out) == ({"error": 1, "abstained": 1}, {"error": 1})
    assert (x.success.n, y.success.n, found.matches[0].difference.n) == (4, 5, 3)
    assert any("2 of 6 trials of x are in no rate" in note for note in found.notes)


def test_other_scenes_are_unpaired():
    found = standings(field(entrant("x", "1111111101"), entrant("y", "0000100010", first=10)))
    match = found.matches[0]
    assert not match.paired
    assert match.difference == unpaired_difference(9, 10, 2, 10)
    assert match.p == boschloo(9, 10, 2, 10)
    few_in_common = standings(field(entrant("x", "1111111101"), entrant("y", "0000100010", first=7)))
    assert not few_in_common.matches[0].paired
    most_in_common = standings(field(entrant("x", "1111111101"), entrant("y", "0000100010", first=5)))
    assert most_in_common.matches[0].difference.n == 5


def test_what_is_not_finished_is_peeking_safe():
    found = standings(field(entrant("x", "11110111", planned=20), entrant("y", "00100110", planned=20)))
    assert not found.fixed
    assert found.policies[0].success == confidence_sequence(7, 8)
    assert found.policies[0].left_out == {"not run": 12}
    assert found.matches[0].difference == paired_difference_sequence(PairedTable(3, 4, 0, 1))
    assert "peeking-safe" in found.matches[0].p.method
    assert found.policies[0].strength.low is None
    assert "16 of 40 planned trials ran" in found.notes[0]


def test_an_absent_rate_is_last_and_said():
    found = standings(field(entrant("x", "eeee"), entrant("y", "1101")))
    assert [s.policy for s in found.policies] == ["y", "x"]
    assert found.matches[0].p_holm is None
    assert verdict(found) == ["y succeeds in 75 % [30, 95] of 4 trials", "success of x was not measured"]


def test_the_verdict_of_many_is_short():
    rng = np.random.default_rng(0)
    many = [entrant(f"p{i}", "".join("1" if u < i / 12 else "0" for u in rng.random(60))) for i in range(12)]
    said = verdict(standings(field(*many)))
    assert len(said) == 9
    assert said[-1].endswith("more in the table")


def test_a_gate_is_decided_by_the_interval():
    wide = paired_difference(PairedTable(5, 2, 2, 1))
    assert state_of(wide, 0.05) == "cannot tell"
    assert state_of(replace(wide, low=-0.05, high=0.2), 0.05) == "not worse"
    assert state_of(replace(wide, low=-0.3, high=-0.051), 0.05) == "worse"
    assert state_of(replace(wide, low=-0.3, high=-0.05), 0.05) == "cannot tell"
    assert EXIT_CODES == {"not worse": 0, "worse": 1, "cannot tell": 3}


def test_a_gate_holds_all_against_the_first_and_corrects_for_their_number():
    old, same, worse = entrant("old", "1" * 90 + "0" * 10), entrant("same", "1" * 90 + "0" * 10), entrant("worse", "0" * 100)  # fmt: skip
    found = gate(field(old, same), 0.05)
    assert (found.state, found.checks[0].difference.level) == ("not worse", 0.95)
    found = gate(field(old, same, worse), 0.05)
    assert [(c.candidate, c.reference, c.state) for c in found.checks] == [
        ("same", "old", "not worse"),
        ("worse", "old", "worse"),
    ]
    assert found.checks[0].difference.level == pytest.approx(0.975)
    assert found.state == "worse"
    assert found.words()[1].startswith("worse is worse than old by more than 5 points: -90 points [")
    assert gate(field(entrant("old", "1010"), entrant("new", "0111")), 0.05).state == "cannot tell"


def test_a_gate_over_two_runs_holds_names_against_names():
    before = [entrant("act@a", "1" * 60), entrant("bc@a", "0" * 60)]
    after = [entrant("bc@b", "0" * 60, run=1), entrant("act@b", "1" * 60, run=1)]
    found = gate(field(*before, *after), 0.1)
    assert [(c.candidate, c.reference) for c in found.checks] == [("bc@b", "bc@a"), ("act@b", "act@a")]
    assert found.state == "not worse"
    alone = gate(field(entrant("old", "1" * 60), entrant("new", "1" * 60, run=1)), 0.1)
    assert alone.checks[0].candidate == "new"
    with pytest.raises(ReverieError, match="nothing to hold"):
        gate(field(entrant("old", "11")), 0.1)
    with pytest.raises(ReverieError, match="margin is 5"):
        gate(field(*before), 5)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    how = {"worlds": (TRUE,), "judges": (RECORDED, FRAMES), "scenes": ("fake:12",), "n_steps": 30, "replay": False}
    run(base / "before", policies=(reach(0.9), reach(0.2)), **how)
    run(base / "after", policies=(reach(0.9),), **{**how, "scenes": ("fake:10",)})
    run(base / "elsewhere", policies=("fake:ReachPolicy?skill=0.1&name=new",), **{**how, "scenes": ("fake:8,push",)})
    return base


def test_two_runs_are_paired_by_what_a_scene_is(folders):
    found = entrants([folders / "before", folders / "after"])
    assert [e.name for e in found.policies] == ["reach0.9@before", "reach0.2", "reach0.9@after"]
    assert found.view == View("true", "recorded")
    assert in_view(read_outcomes(folders / "before"), found.view) == entrants([folders / "before"])
    same = standings(entrants([folders / "before", folders / "after"], ["reach0.9"])).matches[0]
    assert (same.paired, same.difference.n, same.difference.value) == (True, 10, 0)
    other = standings(entrants([folders / "before", folders / "elsewhere"], ["reach0.9", "new"])).matches[0]
    assert not other.paired


def test_views_and_names_that_are_not_there(folders):
    chosen = entrants([folders / "before"], ["reach0.2"], judge="fake_frames")
    assert [e.name for e in chosen.policies] == ["reach0.2"]
    assert chosen.view == View("true", "fake_frames")
    with pytest.raises(ReverieError, match=r"unknown policy 'reach0\.3'"):
        entrants([folders / "before"], ["reach0.3"])
    with pytest.raises(ReverieError, match=r"no trials of world dream judged by any; it has .*true, recorded"):
        entrants([folders / "before"], world="dream")
    with pytest.raises(ReverieError, match="found 3 runs"):
        entrants([folders / "before"] * 3)


def test_what_else_differs_between_two_runs_is_said(folders, tmp_path):
    other = "fake:FakeWorld?name=true&noise=0.03"
    run(tmp_path / "noisy", policies=(reach(0.9),), worlds=(other,), judges=(RECORDED,), truth=(other, RECORDED), scenes=("fake:4",), n_steps=20)  # fmt: skip
    notes = entrants([folders / "before", tmp_path / "noisy"]).notes
    assert "the world true is not the same in both runs" in notes[0]
    assert "30 steps in one run and 20 in the other" in notes[1]
