"""Merged halves are the whole; a part is a run of its own; what contradicts is refused before anything is written."""

import json

import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, run

from reverie.cli.main import main
from reverie.core import ReverieError
from reverie.evaluation import read_plan
from reverie.evaluation.judging import judge_again
from reverie.evaluation.merging import extract, merge
from reverie.evaluation.resolve import load_judge
from reverie.evaluation.summary import summarise
from reverie.trials import TRIALS, VERDICTS, differences

GOOD, BAD = reach(0.9), reach(0.3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def keep_lines(folder, name, n):
    path = folder / name
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:n]))


def test_runs_of_different_policies_are_the_run_of_both(whole, tmp_path):
    run(tmp_path / "a", policies=(GOOD,))
    run(tmp_path / "b", policies=(BAD,))
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c") == 30
    assert differences(whole, tmp_path / "c") == []
    assert (
        judge_again(tmp_path / "c", load_judge("fake:FakeJudge?name=again")).verdicts == 30
    )  # episodes and clips came along


def test_runs_that_overlap_in_other_blocks_are_the_run_of_both(whole, tmp_path):
    run(tmp_path / "a", scenes=("fake:4",))
    run(tmp_path / "b", policies=(BAD,))
    assert merge([tmp_path / "b", tmp_path / "a"], tmp_path / "c") == 30 - 3
    summary = summarise(tmp_path / "c")
    assert (summary.n_trials, summary.planned) == (27, 30)
    run(tmp_path / "c", policies=(BAD, GOOD))  # what neither had
    assert summarise(tmp_path / "c").n_trials == 30


def test_interrupted_halves_are_merged_and_finished(whole, tmp_path):
    for name, n in (("a", 7), ("b", 30)):
        run(tmp_path / name)
        keep_lines(tmp_path / name, "trials.jsonl", n)
    lines = (tmp_path / "b" / "trials.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "b" / "trials.jsonl").write_text("".join(lines[20:]))
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c") == 17
    assert run(tmp_path / "c").n_new == 13
    assert differences(whole, tmp_path / "c") == []


def test_the_same_command_again_changes_nothing(whole, tmp_path):
    for _ in range(2):
        assert main(["merge", str(whole), str(whole), "--out", str(tmp_path / "c")]) == 0
    assert differences(whole, tmp_path / "c") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_steps": 22}, "n_steps is 20 and 22"),
        ({"worlds": (TRUE, DREAM.replace("0.02", "0.03"))}, r"worlds 'dream' is not the same"),
        ({"truth": (TRUE, FRAMES)}, "truth is Truth"),
    ],
)
def test_runs_of_plans_that_contradict_are_refused(whole, tmp_path, changes, message):
    run(tmp_path / "b", **changes)
    with pytest.raises(ReverieError, match=message):
        merge([whole, tmp_path / "b"], tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(("file", "old", "new", "message"), [
    ("trials.jsonl", '"n_steps":20', '"n_steps":19', r"reach0.9\|true\|reach/test/0.*n_steps"),
    ("verdicts.jsonl", '"success":true', '"success":false', "what fake_frames says|what recorded says"),
])  # fmt: skip
def test_trials_that_contradict_are_refused(whole, tmp_path, file, old, new, message):
    run(tmp_path / "b")
    path = tmp_path / "b" / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ReverieError, match=message):
        merge([whole, tmp_path / "b"], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_part_is_a_run_of_its_own(whole, tmp_path, capsys):
    out = tmp_path / "part"
    assert main(["filter", str(whole), "--out", str(out), "--policies", "reach0.9", "--scenes", "*/[0-2]", "--judges", "recorded"]) == 0  # fmt: skip
    assert "report.html" in capsys.readouterr().out
    assert len(list(TRIALS.read(out))) == 3 * 3
    assert {v.verdict.judge for v in VERDICTS.read(out)} == {"recorded"}
    assert run(out, policies=(GOOD,), scenes=("fake:3",), judges=(RECORDED,)).n_new == 0
    run(tmp_path / "direct", policies=(GOOD,), scenes=("fake:3",), judges=(RECORDED,))
    assert differences(out, tmp_path / "direct") == []


def test_without_its_truth_a_part_has_neither_truth_nor_replays(whole, tmp_path):
    assert extract(whole, tmp_path / "c", worlds=("dream",)) == 10
    assert read_plan(tmp_path / "c").truth is None


def test_unknown_names_are_refused(whole, tmp_path, capsys):
    assert main(["filter", str(whole), "--out", str(tmp_path / "c"), "--policies", "rt1"]) == 2
    assert "no policy of this run fits 'rt1'; it has reach0.9, reach0.3" in capsys.readouterr().err
    assert main(["merge", str(whole), "--out", str(tmp_path / "c")]) == 2
    assert main(["merge", str(whole), str(whole), "--out", str(whole)]) == 2


def test_export_prints_how_many_lines(whole, tmp_path, capsys):
    assert main(["export", str(whole), "--to", str(tmp_path / "t.csv")]) == 0
    assert "60 lines" in capsys.readouterr().out
    assert json.loads((whole / "trials.jsonl").read_text().splitlines()[0])["v"] == 1
