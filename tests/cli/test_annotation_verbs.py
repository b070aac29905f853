"""`reverie label` and `reverie judges` as a user types them."""

import http.client
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reverie.cli.main import main
from reverie.core.fakes import tiny_episode
from reverie.data import open_dataset, write_dataset
from reverie.evaluation import Request, evaluate, make_plan


def post(place: str, path: str, body: dict) -> dict:
    connection = http.client.HTTPConnection(place, timeout=20)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    return json.loads(connection.getresponse().read())


def label_all(root: Path, answers: list, capfd) -> None:
    verb = threading.Thread(target=main, args=(["label", str(root), "--by", "anna"],))
    verb.start()
    said = ""
    while "/anna/" not in said:
        said += capfd.readouterr().err
        assert verb.is_alive(), said
    place = said.split("http://")[1].split("/anna/")[0]
    for item, answer in enumerate(answers):
        post(place, "/anna/choose", {"item": item, **answer})
        post(place, "/anna/next", {"item": item})
    verb.join(60)
    assert not verb.is_alive()


@pytest.mark.parametrize("stranger", [False, True])
def test_logs_are_labelled_and_shown(tmp_path, capfd, stranger):
    unknown = replace(tiny_episode(5), success=None, success_time_s=None)
    root = write_dataset(tmp_path / "logs", [unknown, unknown])
    if stranger:
        info = json.loads((root / "meta/info.json").read_text())
        info = {k: v for k, v in info.items() if k != "reverie"}
        info["features"] = {k: v for k, v in info["features"].items() if k != "success"}
        (root / "meta/info.json").write_text(json.dumps(info))
    label_all(root, [{"success": True, "frame": 1}, {"success": False}], capfd)
    found = [open_dataset(root).episode_info(i) for i in (0, 1)]
    assert [i.success for i in found] == [True, False]
    assert found[0].success_time_s is not None
    assert main(["data", "show", str(root), "--sheet", str(tmp_path / "sheet.png")]) == 0
    out = capfd.readouterr().out
    assert "1 success, 1 failure, 0 unlabelled" in out
    assert "anna 2" in out
    assert main(["label", str(root), "--by", "anna"]) == 0  # nothing is left: it says so and ends


def test_label_refuses_what_is_no_data_set(tmp_path, capsys):
    assert main(["label", str(tmp_path), "--by", "anna"]) == 2
    assert not (tmp_path / ".lock").exists()
    assert main(["label", str(tmp_path), "--by", "a/b"]) == 2
    assert "letters" in capsys.readouterr().err


def test_judges_prints_kappa_n_and_what_was_left_out(tmp_path, capsys):
    world, judge = "fake:FakeWorld?name=w", "fake:RecordedOutcomeJudge"
    policies = tuple(f"fake:ReachPolicy?skill={s}&name=r{s}" for s in (0.9, 0.3))
    evaluate(
        make_plan(Request(policies, (world,), ("fake:3",), ("fake:FakeJudge", judge), 16, (world, judge))), tmp_path
    )
    assert main(["judges", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for words in ("fake_frames / recorded, w", "kappa", "n = 6", "over policies", "left out", "both success / neither"):
        assert words in out, words
    assert main(["judges", str(tmp_path), "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["pairs"]
    assert pair["both"] + pair["neither"] + pair["only_first"] + pair["only_second"] + pair["n_left_out"] == 6
