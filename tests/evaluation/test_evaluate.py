"""Evaluation over fakes: what is recorded, what a crash costs, what is refused, what a second call does."""

import json

import numpy as np
import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, request, run

from reverie.core import ReverieError, SpecMismatch, TrialKey
from reverie.core.fakes import FakeWorld, ReachPolicy, fake_scenes
from reverie.evaluation import make_plan, read_plan
from reverie.evaluation.blocks import blocks_of, padded, replays_of
from reverie.evaluation.judging import judge_again
from reverie.evaluation.resolve import load_judge
from reverie.evaluation.storage import read_episodes
from reverie.rollouts import rollout
from reverie.trials import RECEIPTS, TRIALS, VERDICTS, differences


def trials(folder):
    return {t.key: t for t in TRIALS.read(folder)}


def test_every_trial_is_recorded_with_its_files(tmp_path):
    finished = run(tmp_path)
    found = trials(tmp_path)
    assert finished.n_trials == finished.n_new == len(found) == 2 * 5 * 3  # two worlds and the replay
    assert {k.world for k in found} == {"true", "dream", "dream+replay"}
    assert all((tmp_path / t.clip).exists() and t.error is None and t.n_steps == 20 for t in found.values())
    assert {t.receipt for t in found.values()} == {r.id for r in RECEIPTS.read(tmp_path)}
    verdicts = list(VERDICTS.read(tmp_path))
    assert len(verdicts) == 2 * len(found)
    assert all(
        (v.verdict.success is None) == (v.key.world != "true") for v in verdicts if v.verdict.judge == "recorded"
    )


def test_trials_are_those_of_a_plain_rollout(tmp_path):
    run(tmp_path)
    scenes = fake_scenes(5)[:3]
    keys = [TrialKey("reach0.3", "true", s.id) for s in scenes]
    direct = rollout(ReachPolicy(0.3), FakeWorld("true", noise=0.01), scenes, keys, 20)
    stored = [trials(tmp_path)[k] for k in keys]
    for trial, episode in zip(stored, direct, strict=True):
        (again,) = read_episodes(tmp_path, trial.info["block"], {trial.info["row"]: trial.clip})
        left, right = again.observations.arrays(), episode.observations.arrays()
        assert left.keys() == right.keys()
        assert all(np.array_equal(left[k], right[k]) for k in left)  # images too: clips are without loss
        assert np.array_equal(again.actions, episode.actions)
        assert (again.success, again.events, again.scene) == (episode.success, episode.events, episode.scene)


def test_a_replay_plays_what_the_truth_executed(tmp_path):
    run(tmp_path)
    found = trials(tmp_path)
    for key, trial in found.items():
        if key.world == "dream+replay":
            assert trial.actions_digest == found[TrialKey(key.policy, "true", key.scene)].actions_digest
        if key.world == "dream" and key.policy == "reach0.3":
            assert trial.actions_digest != found[TrialKey(key.policy, "true", key.scene)].actions_digest


def test_scripts_run_in_the_truth_and_are_replayed_elsewhere(tmp_path):
    run(tmp_path, scripts=("fake:ScriptedPolicy?skill=0.7",))
    assert {k.world for k in trials(tmp_path) if k.policy == "scripted"} == {"true", "dream+replay"}


def test_processes_change_nothing(tmp_path):
    run(tmp_path / "one")
    run(tmp_path / "two", processes=2)
    assert differences(tmp_path / "one", tmp_path / "two") == []


def test_a_second_call_computes_nothing_and_missing_lines_come_back(tmp_path):
    run(tmp_path / "whole")
    run(tmp_path / "run")
    assert run(tmp_path / "run").n_new == 0
    path = tmp_path / "run" / "trials.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:13]))
    assert run(tmp_path / "run").n_new == 30 - 13
    assert differences(tmp_path / "whole", tmp_path / "run") == []


def test_a_crash_is_an_error_of_its_row_and_the_run_goes_on(tmp_path):
    x = sorted(s.robot_start[0] for s in fake_scenes(5))
    crashing = f"fake:CrashingPolicy?left_of={(x[1] + x[2]) / 2}"
    run(tmp_path, policies=(crashing, reach(0.9)))
    errors = [t for t in trials(tmp_path).values() if t.error]
    assert len(errors) == 2 * 3  # two scenes: both worlds and the replay
    assert {t.key.policy for t in errors} == {"crashing"}
    assert all("crashes on purpose" in t.error for t in errors if "replay" not in t.key.world)
    assert all(t.error.startswith("Traceback") and "in infer" in t.error for t in errors if "replay" not in t.key.world)
    assert all("nothing to replay" in t.error for t in errors if "replay" in t.key.world)
    assert not {v.key for v in VERDICTS.read(tmp_path)} & {t.key for t in errors}
    assert len(trials(tmp_path)) == 30


def test_actions_that_are_not_finite_are_errors(tmp_path):
    run(tmp_path, policies=("fake:NaNPolicy",), worlds=(TRUE,))
    assert all("not finite" in t.error for t in trials(tmp_path).values())


def test_a_mismatch_is_refused_before_the_first_trial(tmp_path):
    with pytest.raises(SpecMismatch, match=r"(?s)scripted, dream.*object_poses"):
        run(tmp_path, policies=(reach(0.9), "fake:ScriptedPolicy"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_steps": 22}, r"n_steps: the run has 20, asked for 22"),
        ({"policies": (reach(0.9), reach(0.4))}, r"policies reach0.4: the run has None"),
        ({"scenes": ("fake:6",)}, r"scene reach/test/5 is only in one"),
        ({"worlds": (TRUE.replace("0.01", "0.03"), DREAM), "truth": (TRUE.replace("0.01", "0.03"), RECORDED)}, "worlds true: the run has"),
    ],
)  # fmt: skip
def test_a_changed_plan_says_what_differs(tmp_path, changes, message):
    run(tmp_path)
    with pytest.raises(ReverieError, match=message):
        run(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": (reach(0.9), reach(0.9))}, "two policies are named"),
        ({"policies": ("fake:ReachPolcy",)}, "did you mean 'ReachPolicy'"),
        ({"worlds": ("fak:x",), "truth": None}, "unknown world 'fak:x'.*did you mean 'fake'"),
        ({"block_size": 0}, "block_size is 0"),
        ({"policies": ()}, "no policies"),
        ({"policies": ("python:no_such_module:make",)}, "no_such_module"),
        ({"scripts": ("fake:ScriptedPolicy",), "truth": None}, "scripts need a truth"),
    ],
)
def test_bad_requests_are_one_clear_error(changes, message):
    with pytest.raises(ReverieError, match=message):
        make_plan(request(**changes))


def test_the_plan_is_stored_as_values(tmp_path):
    run(tmp_path)
    assert read_plan(tmp_path) == make_plan(request())
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ReverieError, match=r"plan\.json: not a plan"):
        read_plan(tmp_path)


def test_blocks_are_padded_and_cover_each_key_once():
    plan = make_plan(request(replicates=2))
    blocks = [*blocks_of(plan), *replays_of(plan)]
    keys = [k for b in blocks for k in b.keys]
    assert len(keys) == len(set(keys)) == 2 * 2 * 5 * 3
    assert max(len(b.keys) for b in blocks) == 3
    assert len({b.id for b in blocks}) == len(blocks)
    assert blocks[0].world.name == "true"
    assert padded("ab", 5) == list("ababa")


def test_judging_again_gives_the_same_verdicts(tmp_path):
    run(tmp_path / "a", judges=(RECORDED,))
    run(tmp_path / "b", judges=(RECORDED, FRAMES))
    assert judge_again(tmp_path / "a", load_judge(FRAMES)) == 30
    assert judge_again(tmp_path / "a", load_judge(FRAMES)) == 0
    assert {(v.key, v.verdict) for v in VERDICTS.read(tmp_path / "a")} == {
        (v.key, v.verdict) for v in VERDICTS.read(tmp_path / "b")
    }


def test_without_video_no_clips_are_kept(tmp_path):
    run(tmp_path, keep_video=False)
    assert not (tmp_path / "clips").exists()
    assert all(t.clip is None for t in trials(tmp_path).values())


def test_lines_carry_no_nan(tmp_path):
    run(tmp_path)
    for line in (tmp_path / "trials.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda c: pytest.fail(c))
