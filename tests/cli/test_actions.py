"""`reverie actions report` on a small data set and on real samples: the table, the page, the record, the messages."""

import json
import os
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from reverie.actions import CODECS
from reverie.cli.actions import ReportOptions, main, read_split, wrapping
from reverie.core import Episode, ReverieError
from reverie.core.fakes import ACTION_SPEC, tiny_episode
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.data.importers import import_dataset
from reverie.training.selection import split_episodes


def episode(seed: int, n_frames: int = 16) -> Episode:
    made, rng = tiny_episode(n_frames), np.random.default_rng(seed)
    n = len(made.actions)
    smooth = np.cumsum(rng.normal(0, 0.01, (n, 2)), axis=0).clip(-0.1, 0.1)
    actions = np.concatenate([smooth, (np.arange(n) > rng.integers(n))[:, None]], axis=1).astype(np.float32)
    assert made.scene is not None
    return replace(made, actions=actions, scene=replace(made.scene, id=f"reach/train/{seed}"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "small", [episode(i) for i in range(12)])


class Tags(HTMLParser):
    """Which elements a page opens, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "br", "line", "circle"):
            self.open.append(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}  # nothing is loaded from elsewhere

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_prints_a_table_and_writes_a_page_and_its_record(dataset, tmp_path, capsys) -> None:
    page = tmp_path / "codecs.html"
    assert main(["report", str(dataset), "--horizon", "5", "10", "--bins", "16", "256", "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert shown.strip().splitlines()[-1] == str(page)
    for word in (*CODECS, "chunks of 5", "chunks of 10", "dx", "gripper", "[m]", "bounds of the spec", "clipped"):
        assert word in shown, word
    record = json.loads(page.with_suffix(".json").read_text())
    assert [h["horizon"] for h in record["horizons"]] == [5, 10]
    rows = {(r["codec"], r["setting"]): r["round_trip"] for r in record["horizons"][1]["rows"]}
    assert {codec for codec, _ in rows} == set(CODECS)
    assert all(rows.values())
    fine, coarse = (rows["uniform_bins", n]["mean_abs"] for n in ("256", "16"))
    assert all(10 * a < b for a, b in zip(fine[:2], coarse[:2], strict=True))
    assert rows["uniform_bins", "256"]["tokens_per_chunk"] == 30
    assert rows["fast", "1024 tokens, x 10"]["tokens_per_chunk"] < 30
    assert rows["quantile_bins", "256"]["max_abs"][2] == 0
    assert rows["continuous", "mean"]["tokens_per_chunk"] is None
    tags = Tags()
    tags.feed(page.read_text())
    assert not tags.open
    assert tags.seen.count("svg") == 2
    assert tags.seen.count("table") == 8


def test_by_default_it_goes_beside_the_data(dataset, capsys) -> None:
    assert main(["report", str(dataset), "--bins", "16", "--fast-scales", "10"]) == 0
    assert capsys.readouterr().out.strip().endswith("small.codecs.html")
    assert dataset.with_name("small.codecs.json").exists()
    assert not dataset.with_name("small.cache").exists()  # no frame was decoded


def test_it_measures_what_trainings_hold_out(dataset, tmp_path) -> None:
    train, held_out = read_split(open_dataset(dataset), ReportOptions(dataset, held_out=0.2))
    wanted = split_episodes(open_cache(dataset, tmp_path / "cache"), 0.2)
    for found, indices in zip((train, held_out), wanted, strict=True):
        assert [a.tolist() for a in found] == [episode(i).actions.tolist() for i in indices]
    few, one = read_split(open_dataset(dataset), ReportOptions(dataset, episodes=1))
    assert (len(few), len(one)) == (1, 1)


def test_a_codec_that_the_data_do_not_allow_is_said_to_be_so(dataset, tmp_path, capsys) -> None:
    page = tmp_path / "codecs.html"
    assert main(["report", str(dataset), "--vocabulary", "8", "--out", str(page)]) == 0
    assert "not possible" in capsys.readouterr().out
    rows = json.loads(page.with_suffix(".json").read_text())["horizons"][0]["rows"]
    assert {r["codec"] for r in rows if r["round_trip"] is None} == {"fast"}
    assert "vocabulary_size is 8" in page.read_text()


def test_angles_that_jump_by_a_turn_are_named() -> None:
    spec = replace(ACTION_SPEC, units=("rad", "rad", "1"))
    walk = np.array([[3.1, 0.1, 0], [-3.1, 0.2, 9]], np.float32)
    assert wrapping(spec, [walk]) == ["dx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--horizon", "0"], "--horizon is 0"),
        (["--horizon", "31"], "the longest of .* episodes has 30 actions"),
        (["--bins", "1", "--episodes", "4"], None),
    ],
)
def test_options_that_do_not_fit(dataset, tmp_path, arguments, message) -> None:
    command = ["report", str(dataset), "--out", str(tmp_path / "page.html"), *arguments]
    if message is None:
        assert main(command) == 0
        return
    with pytest.raises(ReverieError, match=message):
        main(command)


def test_other_mistakes(tmp_path, capsys) -> None:
    with pytest.raises(ReverieError, match="did you mean 'report'"):
        main(["reprot"])
    with pytest.raises(ReverieError, match="found no such file"):
        main(["report", str(tmp_path)])
    single = write_dataset(tmp_path / "single", [episode(0)])
    with pytest.raises(ReverieError, match="found 1 episodes, expected some to fit on"):
        main(["report", str(single)])
    assert main([]) == 0
    assert "reverie actions report" in capsys.readouterr().out


def test_on_real_samples(tmp_path, capsys) -> None:
    shared = Path(os.environ.get("REVERIE_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"
    if not shared.is_dir():
        pytest.skip(f"no real samples at {shared} (set REVERIE_SHARED)")
    bridge = import_dataset("rlds", shared / "bridge_rlds/1.0.0", tmp_path / "bridge")
    assert main(["report", str(bridge), "--bins", "256"]) == 0
    record = json.loads((tmp_path / "bridge.codecs.json").read_text())
    assert record["fitted_on"]["episodes"] + record["measured_on"]["episodes"] == 25
    rows = {r["codec"]: r["round_trip"] for r in record["horizons"][0]["rows"]}
    assert rows["uniform_bins"]["n_chunks"] == record["measured_on"]["episodes"]
    assert max(rows["uniform_bins"]["mean_abs"][:3]) < 1e-3  # a millimetre a step
    assert "bridge.codecs.html" in capsys.readouterr().out
