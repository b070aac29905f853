"""The page in a headless Chromium: the verb in a process of its own, driven by keys that are held, and what it saved."""

import subprocess
import sys

import numpy as np
import pytest

from reverie.data import open_dataset
from tests.pages.browser import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def verb(tmp_path_factory):
    out = tmp_path_factory.mktemp("driven") / "data"
    command = [sys.executable, "-m", "reverie.cli.main", "dream", "video:shipped", "--scenes", "train:2"]
    process = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "http://" in said, said + process.stderr.read()
    yield said.split()[1], out, process
    if process.poll() is None:
        process.kill()
    process.communicate()


def pixels(page):
    return np.array(page.run("[...document.querySelector('#film').getContext('2d').getImageData(0, 0, 512, 512).data]"))


def test_a_person_drives_and_saves(verb, tmp_path):
    url, out, process = verb
    with browser(tmp_path / "profile") as page:
        page.open(url)
        page.wait("document.querySelector('#chosen')?.innerText.includes('Time stands still') && pictured > 0")
        assert "scene 1 of 2 (put/train/0)" in page.text("header")
        assert "towards the base" in page.text("#moves")
        assert page.text("#instruction")
        begun = pixels(page)
        page.hold("ArrowDown")
        page.hold("s")
        page.wait("state.time_s >= 1.5")
        page.release("ArrowDown")
        page.release("s")
        page.press(" ")
        page.wait("state.gripper === 'closed'")
        page.wait(f"state.time_s >= {page.run('state.time_s') + 0.5}")  # fingers need some steps
        page.press("p")
        page.wait("state.state === 'waiting' && pictured === state.picture")
        moved = pixels(page)
        assert (np.abs(moved.astype(int) - begun) > 30).mean() > 0.01
        page.press("o")
        assert (pixels(page) != moved).mean() > 0.0005
        page.picture(tmp_path / "driving.png")
        page.press("Enter")
        page.wait("document.querySelector('#chosen').innerText.includes('Saved as episode 0')")
        page.wait("document.querySelector('#place').innerText.includes('scene 2 of 2')")
        page.press("q")
        page.wait("!document.querySelector('#finished').hidden")
        assert f"Saved in {out}: 1." in page.text("#finished")
    printed, _ = process.communicate(timeout=60)
    assert (process.returncode, printed.strip()) == (0, str(out))
    (episode,) = list(open_dataset(out))
    assert episode.provenance["source"] == "person"
    assert (episode.provenance["world"], episode.provenance["split"]) == ("video", "train")
    commanded = episode.observations.commanded
    assert commanded[-1, 0] - commanded[0, 0] > 0.08  # away from the base
    assert commanded[-1, 2] - commanded[0, 2] < -0.08
    assert commanded[-1, 7] < 0.5
    assert episode.success is None
