"""The summary against numbers counted by hand from the journal, and what is absent stays absent."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, run

from reverie.core import Trial, TrialKey, Verdict
from reverie.core.fakes import FakeJudge
from reverie.evaluation.gain import gain
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View
from reverie.evaluation.summary import summarise, write_summary
from reverie.stats import wilson
from reverie.trials import TRIALS, VERDICTS, Journal, TrialVerdict

SKILLS = (0.95, 0.6, 0.3, 0.15, 0.0)
WORSE = "fake:FakeJudge?name=pose_only&near=0.5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    run(
        folder,
        policies=tuple(reach(s) for s in SKILLS),
        scripts=("fake:ScriptedPolicy?skill=0.5",),
        scenes=("fake:12", "fake:8,push"),
        judges=(FRAMES, RECORDED, WORSE),
        controls=(WORSE,),
        n_steps=30,
        block_size=10,
    )
    return folder


def counted(folder, world, judge):
    """policy -> (successes, n), straight from the lines."""
    found = {}
    for line in (folder / "verdicts.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["key"]["world"] == world and record["verdict"]["judge"] == judge:
            k, n = found.get(record["key"]["policy"], (0, 0))
            found[record["key"]["policy"]] = (k + record["verdict"]["success"], n + 1)
    return found


def test_rates_are_those_of_the_journal(folder):
    summary = summarise(folder)
    assert summary.n_trials == summary.planned == 20 * (6 + 5 + 6)
    truth = View("true", "recorded")
    by_hand = counted(folder, "true", "recorded")
    ranked = summary.rates_of(truth)
    assert {r.policy: (r.success.value, r.success.n) for r in ranked} == {
        p: (k / n, n) for p, (k, n) in by_hand.items()
    }
    assert [r.success.value for r in ranked] == sorted((r.success.value for r in ranked), reverse=True)
    best = ranked[0]
    assert best.success == wilson(*by_hand[best.policy])
    assert {t: e.n for t, e in best.by_task.items()} == {"reach": 12, "push": 8}
    assert sum(e.value * e.n for e in best.by_task.values()) == pytest.approx(by_hand[best.policy][0])


def test_a_judge_that_always_abstains_has_no_rate(folder):
    rates = summarise(folder).rates_of(View("dream", "recorded"))
    assert all(r.success.value is None and r.success.n == 0 and r.left_out == {"abstained": 20} for r in rates)


def test_the_prediction_is_compared_with_its_control_and_its_bound(folder):
    summary = summarise(folder)
    found = {(c.view.world, c.view.judge): c for c in summary.comparisons}
    assert {k: c.role for k, c in found.items()} == {
        ("true", "fake_frames"): "judge alone",
        ("true", "pose_only"): "control",
        ("dream", "fake_frames"): "prediction",
        ("dream", "pose_only"): "control",
        ("dream+replay", "fake_frames"): "replay bound",
        ("dream+replay", "pose_only"): "control",
        ("dream+scripts", "fake_frames"): "prediction",
        ("dream+scripts", "pose_only"): "control",
    }
    plain, united = found["dream", "fake_frames"], found["dream+scripts", "fake_frames"]
    assert len(plain.policies) == 5
    assert united.policies == (*plain.policies, "scripted")
    predicted, true = counted(folder, "dream", "fake_frames"), counted(folder, "true", "recorded")
    x, y = ([side[p][0] / side[p][1] for p in plain.policies] for side in (predicted, true))
    assert plain.pearson.over_policies.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert plain.bias.value == pytest.approx(np.mean(np.subtract(x, y)))
    assert plain.agreement.accuracy.n == 100
    assert "strict_less" in plain.mmrv.method


def test_every_view_has_its_standings_and_neighbours_are_paired_by_scene(folder):
    summary, view = summarise(folder), View("true", "recorded")
    assert summary.standings.keys() == summary.table.outcomes.keys()
    pairs = summary.standings[view].next_to_each_other
    ranked = [r.policy for r in summary.rates_of(view)]
    assert [(m.first, m.second) for m in pairs] == list(pairwise(ranked))
    assert all(m.paired and m.difference.n == 20 and m.difference.value >= 0 for m in pairs)
    assert all(m.p_holm >= m.p.value for m in pairs)
    for silent in summary.standings[View("dream", "recorded")].policies:
        assert silent.success.value is None
    assert summary.standings[View("dream", "recorded")].next_to_each_other == ()


def test_the_summary_is_written_as_plain_json(folder):
    write_summary(folder)
    value = json.loads((folder / "summary.json").read_text())
    assert value["truth"] == {"world": "true", "judge": "recorded"}
    assert value["comparisons"][0]["pearson"]["over_policies"]["method"]


def test_errors_are_left_out_and_listed(tmp_path):
    run(tmp_path, policies=(reach(0.9), "fake:NaNPolicy"), worlds=(TRUE,), truth=None)
    summary = summarise(tmp_path)
    (nan,) = [r for r in summary.rates_of(View("true", "recorded")) if r.policy == "nan"]
    assert nan.success.value is None
    assert nan.left_out == {"error": 5}
    assert len(summary.failures) == 5
    assert "not finite" in summary.failures[0].reason
    assert summary.comparisons == ()


def test_an_unfinished_run_and_two_versions_of_a_judge(tmp_path):
    run(tmp_path, worlds=(TRUE, DREAM))
    first = next(iter(TRIALS.read(tmp_path)))
    with Journal(tmp_path) as journal:
        journal.add([], [TrialVerdict(first.key, Verdict("fake_frames", "2", True))], [])
    summary = summarise(tmp_path)
    assert {v.judge for v in summary.table.outcomes} == {"fake_frames@1", "fake_frames@2", "recorded"}
    (rate,) = [r for r in summary.rates_of(View("true", "fake_frames@2")) if r.policy == first.key.policy]
    assert (rate.success.n, rate.left_out) == (1, {"not_scored": 4})


def test_no_trials_yet_is_absent_everywhere(tmp_path):
    run(tmp_path)
    for kind in (TRIALS, VERDICTS):
        (tmp_path / kind.file).unlink()
    summary = summarise(tmp_path)
    assert (summary.n_trials, summary.planned, summary.rates, summary.comparisons) == (0, 30, (), ())
    assert Trial(TrialKey("a", "b", "c"), "", 0, "").error is None


def test_the_gain_over_the_control_is_the_difference_of_their_correlations(folder):
    summary = summarise(folder)
    (found,) = [g for g in summary.gains if g.prediction.world == "dream"]
    by_view = {c.view: c for c in summary.comparisons}
    difference = (
        by_view[found.prediction].pearson.over_policies.value - by_view[found.control].pearson.over_policies.value
    )
    assert found.difference.value == pytest.approx(difference)
    assert found.difference.low < found.difference.value < found.difference.high
    assert found.difference.n == 5


class Shy(FakeJudge):
    """Right wherever it says something, and silent about half of the failures."""

    def judge(self, episodes):
        said = super().judge(episodes)
        return [
            replace(v, judge="shy", success=None if v.success is False and i % 2 else v.success)
            for i, v in enumerate(said)
        ]


def test_an_abstaining_judge_is_compared_on_what_it_scored(tmp_path):
    """Over its own episodes it would predict too much of every policy; over the same ones it is exactly right."""
    run(tmp_path, policies=tuple(reach(s) for s in SKILLS), worlds=(TRUE,), judges=(FRAMES,), truth=(TRUE, FRAMES), scenes=("fake:20",), block_size=20, n_steps=30)  # fmt: skip
    judge_again(tmp_path, Shy(name="shy"))
    summary = summarise(tmp_path)
    silent = sum(r.left_out.get("abstained", 0) for r in summary.rates_of(View("true", "shy")))
    (found,) = summary.comparisons
    assert found.dropped == silent > 10
    assert found.predicted == found.true
    assert (found.bias.value, found.agreement.accuracy.value) == (0, 1)
    assert sum(rate.n for rate in found.predicted) == found.agreement.accuracy.n == 100 - silent
    truth, shy = View("true", "fake_frames"), View("true", "shy")
    assert gain(summary.table, shy, truth, truth).dropped == silent
    assert gain(summary.table, shy, truth, truth).difference.value == pytest.approx(0)


def test_scripts_are_no_part_of_the_comparison_of_those_that_look(folder):
    found = {c.view.world: c for c in summarise(folder).comparisons if c.role == "prediction"}
    assert found["dream"].looking is None
    assert "scripted" in found["dream+scripts"].policies
    looking = found["dream+scripts"].looking
    assert (looking.policies, looking.pearson, looking.agreement) == (
        found["dream"].policies,
        found["dream"].pearson,
        found["dream"].agreement,
    )
