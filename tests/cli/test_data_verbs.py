"""`reverie collect` and `reverie data` as a user types them, and what they say when something is wrong."""

from pathlib import Path

import pytest

from reverie.cli.main import main


def test_collect_then_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "data"
    assert main(["collect", "--task", "put", "--episodes", "2", "--seconds", "1", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert main(["data", "show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "episodes" in shown
    assert "success" in shown
    assert Path(shown.strip().splitlines()[-1]).stat().st_size > 1000  # the contact sheet


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["colect"], "did you mean 'collect'"),
        (["collect", "--mix", "mixd", "--out", "x"], "did you mean 'mixed'"),
        (["collect", "--split", "tset", "--out", "x"], "expected one of train"),
        (["data", "shwo"], "did you mean 'show'"),
        (["data", "show", "nowhere"], "nowhere"),
        (["data", "show", "a_file"], "a_file/meta/info.json: found no such file"),
        (["data", "import", "droid", "nowhere", "--specs", "a_file", "--out", "x"], "leave --specs out"),
        (["data", "import", "rlds", "nowhere", "--out", "x"], "features.json: found no such file; give the version folder"),
        (["collect", "--episodes", "1", "--seconds", "1", "--out", "a_file/d"], "a_file"),
        (["evaluate", "--policies", "nothing", "--scenes", "test:2", "--judges", "physics", "--world", "video:", "--out", "x"], "expected video:shipped"),
        (["evaluate", "--policies", "nothing", "--scenes", "test:2", "--judges", "no/judge", "--world", "physics", "--out", "x"], "no judge at no/judge"),
        (["data", "import", "drod", "nowhere", "--out", "x"], "did you mean 'droid'"),
        (["evaluate", "--policies", "clasical", "--scenes", "test:2", "--judges", "physics", "--world", "physics", "--out", "x"], "did you mean 'classical'"),
        (["evaluate", "--policies", "nothing", "--scenes", "test:x", "--judges", "physics", "--world", "physics", "--out", "x"], "expected test:NUMBER"),
        (["evaluate", "--policies", "no/where", "--scenes", "test:2", "--judges", "physics", "--world", "physics", "--out", "x"], "no policy at no/where"),
    ],
)  # fmt: skip
def test_one_clear_message(
    arguments: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert expected in said
    assert "Traceback" not in said
