"""Every stage as a user types it, on the smallest data: collect, ground, clone, dream, judge, evaluate, report."""

from pathlib import Path

import pytest

from reverie.cli.main import main
from reverie.data import open_dataset

TEXT = [
    "--model.encoder.grounding.text.encoder",
    "words",
    "--model.encoder.grounding.width",
    "16",
    "--model.encoder.grounding.deep-width",
    "16",
]
TINY = ["--samples", "8", "--batch-size", "4", "--validate-every", "8", "--state-every", "8", "--threads", "1"]


def run(*arguments: object) -> None:
    assert main([str(a) for a in arguments]) == 0


def test_from_demonstrations_to_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, dreamt, world = tmp_path / "data", tmp_path / "dreamt", tmp_path / "world"
    run("collect", "--mix", "expert,drop", "--episodes", 6, "--seconds", 6, "--out", data)
    run("train", "vla", "--data", data, "--out", tmp_path / "vla", *TEXT, *TINY)
    run(
        "train",
        "world",
        "--data",
        data,
        "--out",
        world,
        "--sequences.length",
        2,
        "--unet.channels",
        8,
        16,
        16,
        16,
        *TINY,
    )
    run("data", "dream", data, "--world", world, "--out", dreamt, "--episodes", 2)
    assert [e.provenance["world"] for e in open_dataset(dreamt)] == ["video", "video"]
    judge = ["--network.hidden", "16", *(t.replace("--model.encoder", "--network") for t in TEXT)]
    run("train", "judge", "--data", data, "--more", dreamt, "--out", tmp_path / "judge", *judge, *TINY)
    run("train", "pose_judge", "--data", data, "--out", tmp_path / "pose_only", *TINY)
    evaluated = ["--policies", tmp_path / "vla", "nothing", "--scripts", "script:drop", "--scenes", "validation:2"]
    worlds = ["--truth", "physics", "--world", f"video:{world}", "--steps", 8, "--out", tmp_path / "run"]
    judges = ["--judges", "physics", tmp_path / "judge", tmp_path / "pose_only", "--controls", tmp_path / "pose_only"]
    run("evaluate", *evaluated, *worlds, *judges)
    page = Path(capsys.readouterr().out.strip().splitlines()[-1])
    assert page.name == "report.html"
    assert "vla" in page.read_text()
