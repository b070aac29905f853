"""The command line as a user meets it: help is fast, errors are one message, work ends with a path."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reverie.cli.main import VERBS, main

TRUE, DREAM = "fake:FakeWorld?name=true&noise=0.01", "fake:FakeWorld?name=dream&measures=False"
COMMAND = [
    "evaluate", "--policies", "fake:ReachPolicy?skill=0.9", "fake:ConstantPolicy", "--truth", TRUE, "--world", DREAM,
    "--scenes", "fake:3", "--judges", "fake:RecordedOutcomeJudge", "fake:FakeJudge", "--steps", "16", "--block", "4",
]  # fmt: skip


def test_every_verb_has_its_file():
    assert all(importlib.util.find_spec(module) for module, _ in VERBS.values())


def test_help_lists_the_verbs_without_loading_them(capsys):
    assert main([]) == main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in VERBS)
    code = "import sys; from reverie.cli.main import main; main([]); sys.exit(int('torch' in sys.modules or 'av' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_an_unknown_verb_names_the_nearest(capsys):
    assert main(["evalute"]) == 2
    error = capsys.readouterr().err
    assert "did you mean 'evaluate'" in error
    assert "Traceback" not in error


def test_version(capsys):
    assert main(["--version"]) == 0
    assert re.match(r"\d+\.\d+", capsys.readouterr().out)


def test_evaluate_writes_a_report_and_goes_on_from_there(tmp_path, capsys):
    out = ["--out", str(tmp_path / "run")]
    assert main([*COMMAND, *out]) == 0
    first = capsys.readouterr()
    assert Path(first.out.strip().splitlines()[-1]).exists()
    assert "18 trials" in first.err
    assert main([*COMMAND, *out]) == 0
    assert main(["judge", str(tmp_path / "run"), "--judges", "fake:FakeJudge?name=strict&near=0.05"]) == 0
    assert "strict" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policies", "fake:ScriptedPolicy"], "object_poses"),
        (["--judges", "nobody"], "unknown judge 'nobody'"),
        (["--truth-judge", "fake:Nobody"], "--truth-judge"),
        (["--controls", "fake:Nobody"], "--controls"),
        (["--processes", "0"], "processes is 0"),
        (["--scenes", "fake:x"], "fake:x"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(tmp_path, capsys, arguments, message):
    assert main([*COMMAND, "--out", str(tmp_path / "run"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "expected the folder of a run" in capsys.readouterr().err
    assert main(["judge", str(tmp_path / "no"), "--judges", "fake:FakeJudge"]) == 2
