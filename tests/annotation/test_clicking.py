"""The page in which the robot is clicked: what is kept, what is refused, and a click in a headless Chromium."""

import http.client
import json
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest

from reverie.annotation.clicking import Clicking
from reverie.cli.main import main
from reverie.core import ReverieError
from reverie.core.fakes import tiny_episode
from reverie.data import open_dataset, write_dataset
from reverie.data.clicks import read_clicks, spread_frames
from reverie.pages import Stale, serving
from tests.pages.browser import CHROMIUM, browser


@pytest.fixture
def dataset(tmp_path):
    episodes = [replace(tiny_episode(n), success=None, success_time_s=None) for n in (8, 5)]
    return open_dataset(write_dataset(tmp_path / "logs", episodes))


def test_frames_are_spread():
    """On a line: the ends, then the middle."""
    line = np.linspace(0, 1, 11)[:, None]
    assert sorted(spread_frames([line[:6], line[6:]], 2)) == [(0, 0), (1, 4)]
    assert spread_frames([line], 3)[2] == (0, 5)
    assert len(spread_frames([line], 99)) == 11


def test_clicks_are_kept_at_once_and_gone_on_with(dataset, tmp_path):
    path = tmp_path / "clicks.json"
    clicking = Clicking(dataset, path, wanted=2, rides={"top": "hand"})
    assert "Camera front, 0 of 2" in clicking.state()["question"]
    assert clicking.n_left == 4
    clicking.post(["skip"], {"item": 0})
    clicking.post(["click"], {"item": 1, "u": 3.004, "v": -0.4})
    (kept,) = read_clicks(path).clicks
    assert (kept.camera, kept.u, kept.v) == ("front", 3.0, -0.4)
    assert read_clicks(path).about("top") == {"on": "hand"}
    clicking.post(["undo"], {})
    assert read_clicks(path).clicks == ()
    clicking.post(["click"], {"item": 1, "u": 4, "v": 5})
    again = Clicking(dataset, path, wanted=2)
    assert "Camera front, 1 of 2" in again.state()["question"]
    again.post(["click"], {"item": 0, "u": 4, "v": 5})
    assert "still" in again.state()["question"]  # the top camera rides
    for item in (1, 2):
        again.post(["click"], {"item": item, "u": 1, "v": 1})
    assert again.finished
    assert "front 2, top 2" in again.state()["finished"][0]
    assert len({(c.camera, c.episode, c.frame) for c in read_clicks(path).clicks}) == 4


def test_what_no_page_sends_is_refused(dataset, tmp_path):
    clicking = Clicking(dataset, tmp_path / "clicks.json")
    for place in ({"u": 16, "v": 2}, {"u": "1", "v": 2}, {"u": True, "v": 2}, {"u": 1}):
        with pytest.raises(ReverieError, match="16 x 16"):
            clicking.post(["click"], {"item": 0, **place})
    with pytest.raises(Stale):
        clicking.post(["click"], {"item": 3, "u": 1, "v": 1})
    with pytest.raises(ReverieError, match="nothing was clicked"):
        clicking.post(["undo"], {})
    with pytest.raises(ReverieError, match="rear"):
        Clicking(dataset, tmp_path / "clicks.json", cameras=("rear",))
    assert not (tmp_path / "clicks.json").exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_click_is_the_pixel_that_was_clicked(dataset, tmp_path):
    path = tmp_path / "clicks.json"
    with serving({"click": Clicking(dataset, path, wanted=1)}) as url, browser(tmp_path / "profile") as page:
        page.open(f"{url}/click/")
        page.wait("document.querySelector('#chosen')?.innerText.includes('Camera front')")
        box = page.run("(b => [b.left, b.top, b.width])(document.querySelector('#film').getBoundingClientRect())")
        shown = box[2] / 16
        for u, v in ((5, 9), (10, 2)):
            at = {"x": box[0] + (u + 0.5) * shown, "y": box[1] + (v + 0.5) * shown, "button": "left", "clickCount": 1}
            for kind in ("mousePressed", "mouseReleased"):
                page.call("Input.dispatchMouseEvent", type=kind, **at)
            page.wait(f"document.querySelector('#count').innerText !== '{0 if u == 5 else 1} clicked'")
        page.wait("!document.querySelector('#finished').hidden")
    assert [(c.camera, round(c.u), round(c.v)) for c in read_clicks(path).clicks] == [("front", 5, 9), ("top", 10, 2)]


def test_the_verb_ends_when_there_are_enough(dataset, tmp_path, capfd):
    path = tmp_path / "clicks.json"
    arguments = ["data", "click", str(dataset.root), "--clicks", str(path), "--frames", "1", "--cameras", "front"]
    verb = threading.Thread(target=main, args=(arguments,))
    verb.start()
    said = ""
    while "/click/" not in said:
        said += capfd.readouterr().err
        assert verb.is_alive(), said
    place = urlsplit(said[said.index("http") :].split()[0])
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    sent = json.dumps({"item": 0, "u": 3, "v": 4})
    connection.request("POST", "/click/click", sent, {"Content-Type": "application/json"})
    assert "front 1" in json.loads(connection.getresponse().read())["finished"][0]
    connection.close()
    verb.join(20)
    assert not verb.is_alive()
    assert len(read_clicks(path).clicks) == 1
    assert main([*arguments[:4], str(path), "--rides", "top"]) == 2
    assert "CAMERA=LINK" in capfd.readouterr().err
