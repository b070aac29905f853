"""The pages in a headless Chromium, by keyboard: what a person presses ends up in the journal and in the data set."""

import pytest

from reverie.annotation import Labelling, Session, rating_of
from reverie.data import open_dataset
from reverie.judges.human import QUESTION
from reverie.pages import serving
from reverie.trials import VERDICTS, Journal
from tests.pages.browser import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


def begin(page, url):
    page.open(url)
    page.wait("document.querySelector('#chosen')?.innerText.includes('Not answered')")


def settle(page, words):
    page.wait(f"document.querySelector('#chosen')?.innerText.startsWith({words!r})")


def test_rating_by_keyboard(page, run_folder, tmp_path):
    with Journal(run_folder) as journal:
        (rating,) = rating_of(journal, ["anna"], sample=3)
        order = rating.open_items()
        with serving({"anna": Session(rating)}) as url:
            begin(page, f"{url}/anna/")
            assert "1 of 3" in page.text("header")
            assert "reach the green square" in page.text("#instruction")
            assert page.text("#question") == QUESTION
            page.press("End", "ArrowLeft", "m")
            settle(page, "Success, first in frame 6")
            page.picture(tmp_path / "rating.png")
            page.press("u")
            settle(page, "Not answered")
            page.press("f", "2")
            settle(page, "Failure, level 2")
            page.press("End", "m")
            settle(page, "Success, first in frame 7")
            page.open(f"{url}/anna/")  # the answer outlives the page
            settle(page, "Success, first in frame 7")
            page.press("Enter")
            page.wait("document.querySelector('#count').innerText === '2 of 3'")
            page.press("Enter")
            page.wait("document.querySelector('#error').innerText.includes('nothing is chosen')")
            page.press("f", "1", "Enter", "x", "Enter")
            page.wait("!document.querySelector('#finished').hidden")
            assert "All 3 clips are rated" in page.text("#finished")
    said = {v.key.id: v.verdict for v in VERDICTS.read(run_folder) if v.verdict.judge == "human:anna"}
    assert [said[i].success for i in order] == [True, False, None]
    assert said[order[0]].success_time_s == pytest.approx(1.2)
    assert said[order[1]].progress == 0.25


def test_no_picture_or_script_comes_from_elsewhere(page, run_folder):
    with Journal(run_folder) as journal:
        (rating,) = rating_of(journal, ["ben"], sample=1)
        with serving({"ben": Session(rating)}) as url:
            begin(page, f"{url}/ben/")
            loaded = page.run("performance.getEntriesByType('resource').map(e => e.name)")
    assert loaded
    assert all(name.startswith(f"{url}/") for name in loaded)


def test_the_film_is_shown_as_it_is_stored(page, run_folder):
    with Journal(run_folder) as journal:
        (rating,) = rating_of(journal, ["cy"], sample=1)
        frames = rating.clip(rating.open_items()[0]).frames
        with serving({"cy": Session(rating)}) as url:
            begin(page, f"{url}/cy/")
            page.press("End")
            page.wait("document.querySelector('#time').innerText.includes('7 of 7')")
            scale = page.run("document.querySelector('#film').width") // frames.shape[2]
            pixel = "document.querySelector('#film').getContext('2d').getImageData({0}, {1}, 1, 1).data"
            for v, u in ((3, 5), (10, 20), (12, 30)):
                shown = page.run(f"[...{pixel.format(u * scale + scale // 2, v * scale + scale // 2)}]")
                assert shown[:3] == frames[-1, v, u].tolist()


def test_labelling_by_keyboard(page, unlabelled, tmp_path):
    with serving({"anna": Session(Labelling(open_dataset(unlabelled), "anna"))}) as url:
        begin(page, f"{url}/anna/")
        assert "1 of 3" in page.text("header")
        assert page.text("#levels") == ""
        page.press("End", "ArrowLeft", "m", "Enter")
        page.wait("document.querySelector('#count').innerText === '2 of 3'")
        page.picture(tmp_path / "labelling.png")
        page.press("f", "Enter", "x", "Enter")
        page.wait("!document.querySelector('#finished').hidden")
    dataset = open_dataset(unlabelled)
    infos = [dataset.episode_info(i) for i in range(4)]
    assert [i.success for i in infos] == [True, False, None, False]
    assert infos[0].success_time_s == pytest.approx(float(dataset.episode(0).observations.time_s[-2]))


def test_a_stopped_server_is_said_so(page, run_folder):
    with Journal(run_folder) as journal:
        (rating,) = rating_of(journal, ["dee"], sample=1)
        with serving({"dee": Session(rating)}) as url:
            begin(page, f"{url}/dee/")
    page.press("s")
    page.wait("document.querySelector('#error').innerText.includes('it was stopped')")
