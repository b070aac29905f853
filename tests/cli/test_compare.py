"""`reverie compare` and `reverie evaluate --until-decided` as a user types them."""

import json

import pytest

from reverie.cli.main import main

WORLD = "fake:FakeWorld?name=true&noise=0.01"
COMMAND = [
    "evaluate", "--policies", "fake:ReachPolicy?skill=0.9&name=good", "fake:ReachPolicy?skill=0.1&name=bad",
    "--truth", WORLD, "--judges", "fake:RecordedOutcomeJudge", "--steps", "25", "--block", "6",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert main([*COMMAND, "--scenes", "fake:24", "--out", str(folder)]) == 0
    return folder


def test_the_verdict_comes_first(folder, capsys):
    assert main(["compare", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("good beats bad by ")
    for part in ("true, judged by recorded", "24 pairs", "Tango score", "p after Holm", "fixed by the plan"):
        assert part in shown


@pytest.mark.parametrize(
    ("policies", "code", "word"), [(("good", "bad"), 1, "worse"), (("bad", "good"), 0, "not worse")]
)
def test_exit_codes_for_machines(folder, capsys, policies, code, word):
    arguments = ["compare", str(folder), "--policies", *policies, "--fail-if-worse-than", "0.05"]
    assert main(arguments) == code
    assert f"Decided: {word} (exit code {code})" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert (found["gate"]["state"], found["gate"]["exit_code"]) == (word, code)
    assert [s["policy"] for s in found["policies"]] == ["good", "bad"]
    assert found["matches"][0]["difference"]["n"] == 24


def test_too_few_trials_cannot_tell(folder, tmp_path, capsys):
    assert main([*COMMAND, "--scenes", "fake:3", "--out", str(tmp_path / "few")]) == 0
    gate = ["--policies", "good", "--fail-if-worse-than", "0.05"]
    assert main(["compare", str(folder), str(tmp_path / "few"), *gate]) == 3
    assert "whether good@few is worse than good@run by more than 5 points cannot be told" in capsys.readouterr().out


def test_bad_input_is_one_message(folder, tmp_path, capsys):
    for arguments, message in (
        (["compare", str(tmp_path)], "not the folder of a run"),
        (["compare", str(folder), "--policies", "godo"], "did you mean 'good'"),
        (["compare", str(folder), "--fail-if-worse-than", "5"], "margin is 5"),
        (["compare", str(folder), "--world", "mars"], "no trials of world mars"),
        ([*COMMAND, "--scenes", "fake:3", "--out", str(tmp_path / "x"), "--within", "0.1"], "--until-decided"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert "Traceback" not in error


def test_an_evaluation_stops_when_it_is_decided(tmp_path, capsys):
    out = [*COMMAND, "--scenes", "fake:60", "--out", str(tmp_path / "run")]
    assert main([*out, "--until-decided", "good", "bad"]) == 0
    assert "good is better" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "run")]) == 0
    assert "peeking-safe" in capsys.readouterr().out
