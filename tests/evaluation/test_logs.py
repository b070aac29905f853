"""Logged trials as the truth: their labels count, for the policy that acted and for no other one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, run

from reverie.cli.evaluate import Options
from reverie.core import Outcome, ReverieError
from reverie.data import open_dataset, write_dataset
from reverie.data.importers import import_dataset
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.as_data import write_trials
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.summary import summarise
from reverie.report import write_report
from reverie.trials import TRIALS, VERDICTS

DROID = Path(__file__).parents[2].parent / "shared" / "data" / "droid" / "droid_subset"
POLICIES = (reach(0.9), reach(0.3))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """What two policies did in a noisy world, each in scenes of its own, written as somebody's data set."""
    folder = tmp_path_factory.mktemp("logs")
    run(folder / "lab", worlds=(TRUE,), policies=POLICIES)
    return write_trials(folder / "lab", folder / "data", "true", "recorded"), folder / "lab"


def options(root, **changes):
    fields = {"scenes": (f"recorded:{root}",), "judges": (FRAMES, RECORDED), "truth": "recorded", "world": (DREAM,)}
    return Options(Path("-"), **{**fields, "policies": POLICIES, "block": 3, **changes}).request()


def lab_says(lab, judge):
    return {(v.key.policy, v.key.scene): v.verdict.success for v in VERDICTS.read(lab) if v.verdict.judge == judge}


def test_the_labels_are_what_the_lab_measured(logs, tmp_path):
    root, lab = logs
    evaluate(make_plan(options(root)), tmp_path)
    said = lab_says(lab, "recorded")
    assert set(said.values()) == {True, False}
    table = read_outcomes(tmp_path).outcomes[View("recorded", "label")]
    found = {
        (policy, scene.removeprefix("recorded/").split("|")[2]): outcome is Outcome.SUCCESS
        for policy, cells in table.items()
        for (scene, _, _), outcome in cells.items()
    }
    assert found == said  # and so no policy has an outcome in a trial of the other


def test_everything_downstream_works_from_there(logs, tmp_path):
    root, _ = logs
    evaluate(make_plan(options(root)), tmp_path)
    counts = {}
    for trial in TRIALS.read(tmp_path):
        assert trial.error is None
        counts[trial.key.world] = counts.get(trial.key.world, 0) + 1
    # Two policies in ten scenes, each of which one of them was logged in.
    assert counts == {"recorded": 10, "dream": 20, "dream+replay": 10}
    summary = summarise(tmp_path)
    assert summary.n_trials == summary.planned
    dream = next(c for c in summary.comparisons if c.view == View("dream", "fake_frames"))
    assert dream.role == "prediction"
    assert [e.n for e in dream.true] == [5, 5]
    assert dream.dropped == 10  # what only the dream has: more of it than of the truth
    page = write_report(tmp_path).read_text()
    assert "Success in both" in page


def test_a_logged_policy_that_is_not_at_hand_is_replayed(logs, tmp_path):
    evaluate(make_plan(options(logs[0], policies=POLICIES[:1])), tmp_path)
    found = {(t.key.policy, t.key.world) for t in TRIALS.read(tmp_path)}
    assert ("reach0.3", "recorded") in found
    assert ("reach0.3", "dream+replay") in found
    assert ("reach0.3", "dream") not in found


def test_a_trial_that_names_nobody_belongs_to_whom_the_user_says(logs, tmp_path):
    anonymous = [replace(e, provenance={"source": "robot"}) for e in open_dataset(logs[0])]
    write_dataset(tmp_path / "data", anonymous, "png", "toy")
    plan = make_plan(options(tmp_path / "data", logged_policy="reach0.9", policies=POLICIES[:1]))
    (log,) = plan.logged
    assert (log.entry.name, len(log.scenes)) == ("reach0.9", 10)
    assert make_plan(options(tmp_path / "data")).logged[0].entry.name == "logged"


def test_steps_are_those_of_the_longest_trial_and_no_fewer(logs):
    assert options(logs[0]).n_steps == 20
    with pytest.raises(ReverieError, match=r"--steps is 10, but trial .* has 20"):
        make_plan(options(logs[0], steps=10))


def test_what_begins_no_logged_trial_is_refused(logs, tmp_path):
    with pytest.raises(ReverieError, match=r"expected one recorded:DATA"):
        options(logs[0], scenes=("fake:3",))
    request = options(logs[0], scenes=(f"recorded:{logs[0]}", "fake:1"))
    with pytest.raises(ReverieError, match=r"is no trial of"):
        make_plan(request)
    with pytest.raises(ReverieError, match=r"leave the scripts out"):
        make_plan(options(logs[0], scripts=(f"recorded:{logs[0]}",)))


def test_video_worlds_begin_with_the_logs(logs):
    worlds = options(logs[0], world=("video:shipped", "video:a@b", DREAM)).worlds
    assert worlds == (f"recorded:{logs[0]}", f"video:shipped@{logs[0]}", "video:a@b", DREAM)


def test_a_run_without_such_trials_writes_none(logs, tmp_path):
    with pytest.raises(ReverieError, match="no trial of a world named 'dream'"):
        write_trials(logs[1], tmp_path / "data", "dream", "recorded")
    with pytest.raises(ReverieError, match="no verdict of a judge named 'physics'"):
        write_trials(logs[1], tmp_path / "data", "true", "physics")


@pytest.mark.slow
def test_logs_out_of_physics_say_what_physics_said(tmp_path):
    """Three ways to act in two scenes of the tabletop, exported, and taken for somebody's logs with physics as the predictor."""
    lab = Request(
        policies=("nothing",),
        worlds=("physics",),
        scenes=("test:2,put",),
        judges=("physics",),
        truth=("physics", "physics"),
        scripts=("script:expert", "script:drop"),
        block_size=2,
    )
    evaluate(make_plan(lab), tmp_path / "lab")
    root = write_trials(tmp_path / "lab", tmp_path / "data", "physics", "physics")
    request = options(root, policies=("nothing",), world=("physics",), judges=("physics",), block=2)
    evaluate(make_plan(request), tmp_path / "run")
    said = lab_says(tmp_path / "lab", "physics")
    assert set(said.values()) == {True, False}
    outcomes = read_outcomes(tmp_path / "run").outcomes
    for policy, cells in outcomes[View("recorded", "label")].items():
        for (scene, *rest), outcome in cells.items():
            assert (outcome is Outcome.SUCCESS) == said[policy, scene.split("|")[2]]
            assert outcomes[View("physics+replay", "physics")][policy][scene, *rest] is outcome


@pytest.mark.slow
@pytest.mark.skipif(not DROID.is_dir(), reason=f"{DROID} is not here")
def test_labels_of_real_trials(tmp_path):
    """DROID: the labels that the robot's operators gave, of the trials as they are, and nothing else."""
    annotations = [json.loads(p.read_text()) for p in sorted(DROID.glob("annotation/*/*.json"))]
    wanted = [a["success"] for a in annotations]
    root = import_dataset("droid", DROID, tmp_path / "data")
    request = options(root, policies=(), world=(), judges=("label",), logged_policy="operator", discard_video=True)
    evaluate(make_plan(request), tmp_path / "run")
    (rate,) = summarise(tmp_path / "run").rates
    assert (rate.policy, rate.view) == ("operator", View("recorded", "label"))
    assert (rate.success.n, rate.success.value) == (len(wanted), pytest.approx(sum(wanted) / len(wanted)))
    assert 0 < sum(wanted) < len(wanted)
