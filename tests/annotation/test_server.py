"""The pages' server over plain HTTP: what it answers, and what it refuses."""

import http.client
import io
import json
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from reverie.annotation import Session, rating_of
from reverie.cli.main import main
from reverie.core import ReverieError
from reverie.pages import encoded, serving
from reverie.trials import VERDICTS, Journal


@pytest.fixture
def served(run_folder):
    with Journal(run_folder) as journal:
        sessions = {r.rater: Session(r) for r in rating_of(journal, ["anna", "ben"], sample=3)}
        with serving(sessions) as url:
            yield url, sessions


def ask(url, path, body=None, **headers):
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    kind, data = response.headers.get_content_type(), response.read()
    connection.close()
    return response.status, json.loads(data) if kind == "application/json" else data, response.headers


def test_a_rating_from_page_to_journal(served, run_folder):
    url, _ = served
    status, page, headers = ask(url, "/anna/")
    assert status == 200
    assert b"http" not in page.replace(b"https://", b"").lower() or b'src="http' not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert ask(url, "/anna/page.js")[0] == ask(url, "/page.css")[0] == 200
    _, state, _ = ask(url, "/anna/state")
    assert (state["item"], state["total"], state["pending"]) == (0, 3, None)
    assert ask(url, "/anna/choose", {"item": 0, "success": True, "frame": 1})[1]["pending"]["frame"] == 1
    assert ask(url, "/anna/undo", {"item": 0})[1]["pending"] is None
    ask(url, "/anna/choose", {"item": 0, "success": False, "level": 2})
    assert ask(url, "/anna/next", {"item": 0})[1]["item"] == 1
    (mine,) = [v.verdict for v in VERDICTS.read(run_folder) if v.verdict.judge == "human:anna"]
    assert (mine.success, mine.progress) == (False, 0.5)
    assert ask(url, "/ben/state")[1]["item"] == 0


def test_frames_are_exact(served):
    url, sessions = served
    status, png, _ = ask(url, "/anna/frame/0/2")
    assert status == 200
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(png))), sessions["anna"]._shown().frames[2])
    assert ask(url, "/anna/frame/0/999")[0] == 400
    assert ask(url, "/anna/frame/1/0")[0] == 409


@pytest.mark.parametrize(
    "path", ["/nobody/", "/anna", "/anna/else", "/anna/frame/0", "/../pyproject.toml", "/server.py"]
)
def test_nothing_else_lies_there(served, path):
    assert ask(served[0], path)[0] == 404


def test_a_late_key_and_a_second_tab_change_nothing(served, run_folder):
    url, _ = served
    ask(url, "/anna/choose", {"item": 0, "success": True})
    ask(url, "/anna/next", {"item": 0})
    status, answer, _ = ask(url, "/anna/next", {"item": 0})
    assert status == 409
    assert "load it again" in answer["error"]
    assert ask(url, "/anna/next", {"item": 1})[0] == 400
    assert sum(v.verdict.judge == "human:anna" for v in VERDICTS.read(run_folder)) == 1


def test_other_sites_are_refused(served):
    url, _ = served
    assert ask(url, "/anna/state", Host="evil.example")[0] == 403
    assert ask(url, "/anna/choose", {"item": 0, "success": True}, Origin="http://evil.example")[0] == 400
    assert ask(url, "/anna/choose", {"item": 0, "success": True}, Content_Type="text/plain")[0] == 400
    assert ask(url, "/anna/choose", {"success": True})[0] == 400
    assert ask(url, "/anna/choose", [1])[0] == 400
    assert ask(url, "/anna/choose", {"item": 0, "success": True, "x": "y" * 20_000})[0] == 400
    assert ask(url, "/anna/state")[1]["pending"] is None


def test_a_port_in_use_is_named(served):
    port = urlsplit(served[0]).port
    with pytest.raises(ReverieError, match=f"--port {port}"), serving({}, port):
        pass


def test_the_verb_serves_until_everything_is_rated(run_folder, capfd):
    found = []
    verb = threading.Thread(
        target=lambda: found.append(main(["rate", str(run_folder), "--raters", "anna", "ben", "--sample", "2"]))
    )
    verb.start()
    url, said = "", ""
    while "/ben/" not in said:
        said += capfd.readouterr().err
        assert verb.is_alive(), said
    url = said.split("open ")[1].split("/anna/")[0]
    for rater in ("anna", "ben"):
        for item in (0, 1):
            assert ask(url, f"/{rater}/choose", {"item": item, "success": item == 0})[0] == 200
            _, state, _ = ask(url, f"/{rater}/next", {"item": item})
        assert "All 2 clips are rated" in state["finished"][0]
    verb.join(60)
    assert found == [0]
    out = capfd.readouterr().out
    assert "human:anna / human:ben" in out
    assert "kappa" in out
    assert out.strip().endswith("report.html")


def test_large_frames_are_small_files():
    rows = np.arange(400)[:, None, None] // 2
    frame = np.broadcast_to(rows, (400, 600, 3)).astype(np.uint8)
    kind, data = encoded(frame)
    assert kind == "image/jpeg"
    shown = np.array(Image.open(io.BytesIO(data))).astype(int)
    assert np.abs(shown - frame).mean() < 1.5
