"""The page: one file that opens offline, says what was measured, and says "not measured" where nothing was."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))
from runs import FRAMES, RECORDED, TRUE, reach, run

from reverie.core import ReverieError, Verdict
from reverie.core.fakes import RecordedOutcomeJudge, tiny_episode
from reverie.evaluation.clips import write_clip
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View
from reverie.evaluation.summary import summarise
from reverie.report import write_report
from reverie.report.films import films, within
from reverie.report.overlay import gripper_lines, overlay
from reverie.report.svg import Line, curves
from reverie.trials.export import read_export

POSE = "fake:FakeJudge?name=pose_only&near=0.4"
VOID = {"meta", "input", "br", "line", "circle", "path"}


class Page(HTMLParser):
    """Checks that elements nest, and keeps headings, links and text."""

    def __init__(self, path):
        super().__init__()
        self.open, self.sections, self.links, self.text = [], [], [], []
        self.feed(path.read_text())
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href")]
        self.sections += [v for k, v in attrs if k == "id" and tag == "section"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    run(
        folder,
        policies=(*(reach(s) for s in (0.95, 0.6, 0.0)), "fake:CrashingPolicy?left_of=0.12"),
        scripts=("fake:ScriptedPolicy?skill=0.8",),
        scenes=("fake:8", "fake:6,push"),
        judges=(FRAMES, RECORDED, POSE),
        controls=(POSE,),
        n_steps=30,
        block_size=7,
    )
    write_report(folder)
    return folder


def test_the_page_is_whole_and_needs_nothing_else(folder):
    path = folder / "report.html"
    page = Page(path)
    assert page.sections == ["verdict", "ranking", "prediction", "failures", "clips", "views", "errors", "limits", "receipts"]  # fmt: skip
    assert page.links == []
    assert not re.findall(r"https?://", path.read_text())
    assert path.stat().st_size < 1_000_000
    assert not re.search(r"\b(nan|None|inf)\b", page.words)


def test_the_verdict_comes_first_and_in_words(folder):
    words = Page(folder / "report.html").words
    assert words.index("In true, judged by recorded:") < words.index("Success with 95 % intervals")
    assert re.search(r"beats \S+ by \d+ points \[\d+, \d+\]", words)
    assert "cannot be told apart" in words
    assert "Its control, pose_only" in words
    assert "Its bound, the true actions replayed" in words


def test_policies_that_act_open_loop_are_named_and_set_apart(folder):
    words = Page(folder / "report.html").words
    assert (
        "1 of these act open loop (scripted): their prediction is a replay. Over the 4 that look at frames, r ="
        in words
    )
    assert "prediction , only policies that look at frames" in words.replace("prediction,", "prediction ,")


def test_what_was_left_out_stands_beside_the_rate(folder):
    words = Page(folder / "report.html").words
    assert re.search(r"n = \d+; left out: \d+ error", words)
    assert re.search(r"\d+ trials ended without an outcome", words)
    assert "this policy crashes on purpose" in words


def test_films_are_pairs_of_the_same_trial(folder):
    shown = films(folder, summarise(folder), View("dream+scripts", "fake_frames"))
    assert [f.title.split(":")[0] for f in shown][:2] == ["Success in both", "Failure in both"]
    assert any(f.title.startswith("Disagreement") for f in shown)
    for film in shown:
        assert [p.heading.split(",")[0] for p in film.panels] == ["true", "dream"]
        assert {p.film["frames"] for p in film.panels} == {16}
        assert film.has_overlay


def test_sections_appear_only_where_their_records_exist(tmp_path):
    run(tmp_path, worlds=(TRUE,), truth=None, keep_video=False)
    page = Page(write_report(tmp_path))
    assert page.sections == ["verdict", "ranking", "prediction", "failures", "clips", "views", "limits", "receipts"]
    assert "No truth was part of this run" in page.words
    assert "not measured : this run has no truth" in page.words.replace("measured:", "measured :")
    assert "this run kept no video" in page.words


def test_edits_calibration_and_imitation_have_their_sections(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "evaluation"))
    monkeypatch.chdir(tmp_path)
    training = tmp_path / reach(0.9)  # a policy's spec is where its training left its numbers
    training.mkdir()
    lines = [{"phase": "training", "loss": 1.0}, {"phase": "validation", "main/held_out/actions": 0.25}]
    (training / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder = tmp_path / "run"
    run(folder, worlds=(TRUE,), judges=(RECORDED,), scenes=("python:edited:make",), n_steps=24)
    judge_again(folder, Sure(name="sure"))
    page = Page(write_report(folder))
    assert [s for s in page.sections if s in ("axes", "calibration", "imitation")] == ["axes", "calibration", "imitation"]  # fmt: skip
    assert re.search(r"instruction 8 scenes -?\d+ points", page.words)
    assert re.search(r"said 80 %: \d+ % \[\d+, \d+\], n = 44", page.words)
    assert "reach0.9 main 0.2500" in page.words
    assert "reach0.3 not measured" in page.words
    assert len(list(read_export(folder / "trials.parquet"))) == 2 * 44
    assert "(88 lines, one per trial and judge)" in page.words


class Sure(RecordedOutcomeJudge):
    def judge(self, episodes):
        return [Verdict("sure", "1", True, probability=0.8) for _ in episodes]


def test_pictures_that_do_not_fit_are_left_out(folder):
    shown = films(folder, summarise(folder), View("dream+scripts", "fake_frames"))
    sizes = [sum(len(p.film["source"]) for p in f.panels) for f in shown]
    assert within(shown, sum(sizes[:2])) == shown[:2]
    assert within(shown) == shown


def test_nothing_scored_is_not_measured(tmp_path):
    run(tmp_path, worlds=("fake:FakeWorld?name=dream&measures=False",), truth=None, judges=(RECORDED,))
    words = Page(write_report(tmp_path)).words
    assert "Success was not measured in this run" in words
    assert "dream, judged by recorded: not measured; left out: 10 abstained." in words
    assert " 0 %" not in words


def fidelity(folder, **changes):
    x = [0.2, 0.4, 0.6]
    curve = {"name": "PSNR", "unit": "dB", "x": x, "y": [20, 19, 18.5], "low": [19, 18, 17], "high": [21, 20, 20],
             "n": 6, "baselines": [{"name": "copy last frame", "y": [18, 16, 15]}]}  # fmt: skip
    film = {
        "title": "Take <3>",
        "clips": [{"label": "real", "path": "real.mp4"}, {"label": "dreamt", "path": "real.mp4"}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(0).integers(0, 255, (5, 24, 40, 3), dtype=np.uint8)
    write_clip(folder / "real.mp4", frames, 5)
    (folder / "fidelity.json").write_text(json.dumps({"v": 1, "curves": [{**curve, **changes}], "films": [film]}))
    return folder


def test_a_run_on_real_data_has_curves_and_no_rates(tmp_path):
    page = Page(write_report(fidelity(tmp_path / "droid")))
    assert page.sections == ["verdict", "clips", "fidelity"]
    assert "Success was not measured" in page.words
    assert "copy last frame: 18 at 0.2 s, 15 at 0.6 s. n = 6." in page.words
    assert "Take <3>" in page.words


@pytest.mark.parametrize("changes", [{"y": [1, 2]}, {"y": [1, 2, float("nan")]}, {"x": []}])
def test_damaged_fidelity_records_are_one_error(tmp_path, changes):
    with pytest.raises(ReverieError, match=r"fidelity\.json: not a fidelity record"):
        write_report(fidelity(tmp_path, **changes))


def test_a_folder_without_records_is_an_error(tmp_path):
    with pytest.raises(ReverieError, match="expected the folder of a run"):
        write_report(tmp_path)


def test_the_overlay_lies_on_the_dot():
    episode = tiny_episode(4)
    drawn = overlay(episode)
    assert len(drawn) == 4
    for frame, lines in enumerate(drawn):
        (front,), (top,) = lines
        x, y = episode.observations.commanded[frame, :2] * 15
        assert np.allclose(front, [x + 0.5, y + 0.5], atol=0.06)
        assert np.allclose(top, [y + 0.5 + 16, x + 0.5], atol=0.06)
        brightest = np.argmax(episode.observations.images["front"][frame][..., 0])
        assert np.abs(np.array(divmod(brightest, 16))[::-1] - np.floor(front)).max() <= 1


def test_the_sketch_of_the_gripper_has_its_pose():
    names = ("x", "y", "z", "qw", "qx", "qy", "qz", "opening")
    lines = gripper_lines(np.array([[0.5, 0.1, 0.2, 0, 1, 0, 0, 0.5]]), names)[
        0
    ]  # turned about x: the hand points down
    assert np.allclose(lines[0, 0], [0.5, 0.1, 0.3])
    assert np.allclose(lines[1:, -1].mean(0), [0.5, 0.1, 0.2])
    assert np.isclose(np.linalg.norm(lines[1, -1] - lines[2, -1]), 0.04)


def test_uncalibrated_cameras_have_no_overlay():
    episode = tiny_episode(3)
    extras = {k: v for k, v in episode.observations.extras.items() if k != "camera_matrices"}
    object.__setattr__(episode.observations, "extras", extras)
    assert overlay(episode) is None


@pytest.mark.parametrize("y", [[0, 0, 0], [1e-4, 2e-4, 5e-4], [-3, 1000, 20], [24.9, 25.0, 25.1]])
def test_figures_stand_any_range(y):
    svg = curves([Line("<a>", [0, 1, 2], y)], "seconds", "value")
    assert "&lt;a&gt;" in svg
    assert svg.count('class="tick"') + svg.count('text-anchor="end"') >= 2
    assert "nan" not in svg


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_page_runs_in_a_browser(folder, tmp_path):
    shown = [""]
    for virtual_ms in (3_000, 60_000):  # a machine with no core to spare may decode no picture in the first
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
        command += [f"--virtual-time-budget={virtual_ms}", "--dump-dom", f"file://{folder / 'report.html'}"]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
        shown = re.findall(r"<output>(.*?)</output>", dom)
        assert shown
        if all(shown):
            break
    assert set(shown) == {"3.0 s"}  # the last frame of every film is drawn
