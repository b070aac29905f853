"""The judge that asks a model, against a server that behaves and one that does not."""

import base64
import io
import socket

import numpy as np
import pytest
from PIL import Image
from tests.judges.vlm.chat_server import (
    BAD,
    GOOD,
    chat_server,
    cut_short,
    drips,
    fails,
    half_the_json,
    hangs_up,
    says,
    sleeps,
)

from reverie.core import ReverieError, Unheard
from reverie.core.fakes import tiny_episode
from reverie.evaluation.resolve import load_judge
from reverie.judges.vlm import VlmJudge, vlm_judge

FAST = "backoff_s=0.01&timeout_s=0.4"


def judge_of(server, votes=1, **options) -> VlmJudge:
    query = "&".join(f"{k}={v}" for k, v in options.items())
    return vlm_judge(f"{server.url}?model=toy&votes={votes}&{FAST}&{query}")


def verdict(*behaviours, votes=1, **options):
    with chat_server(*behaviours) as server:
        (found,) = judge_of(server, votes, **options).judge([tiny_episode(6)])
    return found


def test_a_success_has_its_time_progress_and_probability():
    found = verdict(says(GOOD))
    assert (found.judge, found.success, found.progress, found.probability, found.scored) == (
        "vlm:toy",
        True,
        1,
        1,
        True,
    )
    assert found.success_time_s == pytest.approx(float(tiny_episode(6).observations.time_s[2]))


def test_what_is_asked_holds_the_instruction_and_every_camera_first_and_last_frame_included():
    episode = tiny_episode(6)
    with chat_server(says(BAD)) as server:
        judge_of(server, frames=3, temperature=0.25).judge([episode])
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["temperature"]) == ("toy", 0.25)
    assert "Authorization" not in headers
    content = body["messages"][0]["content"]
    assert episode.instruction in content[0]["text"]
    shown = [c["image_url"]["url"] for c in content if c["type"] == "image_url"]
    pictures = [np.array(Image.open(io.BytesIO(base64.b64decode(s.partition(",")[2])))) for s in shown]
    size = episode.observations.images["front"].shape[1]
    scale = pictures[0].shape[0] // size
    assert pictures[0].shape == (size * scale, 2 * size * scale, 3)
    assert min(pictures[0].shape[:2]) >= 224
    for picture, frame in ((pictures[0], 0), (pictures[-1], -1)):
        both = np.concatenate([episode.observations.images[c][frame] for c in ("front", "top")], axis=1)
        np.testing.assert_array_equal(picture[::scale, ::scale], both)
    assert len(shown) == 3


def test_votes_draw_different_seeds_and_the_majority_counts():
    with chat_server(says(GOOD), says(BAD), says(GOOD)) as server:
        (found,) = judge_of(server, 3, parallel=1).judge([tiny_episode()])
    assert found.success is True
    assert found.probability == pytest.approx(2 / 3)
    assert found.progress == pytest.approx((4 + 1 + 4) / 12)
    assert len({body["seed"] for _, _, body in server.asked}) == 3


def test_a_tie_and_a_model_that_cannot_tell_abstain():
    tie = verdict(says(GOOD), says(BAD), votes=2, parallel=1)
    assert (tie.success, tie.scored, tie.probability) == (None, True, 0.5)
    unsure = verdict(says('{"level": null, "reason": "too dark"}'))
    assert (unsure.success, unsure.scored, unsure.progress) == (None, True, None)
    assert "too dark" in unsure.reason


@pytest.mark.parametrize(
    "trouble",
    [fails(500), fails(503, Retry_After="0"), fails(429), cut_short, half_the_json, hangs_up, sleeps, drips],
    ids=["500", "503", "429", "cut", "half", "hang-up", "slow", "drip"],
)
def test_a_passing_trouble_is_tried_again(trouble):
    assert verdict(trouble, trouble, says(GOOD)).success is True


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("I am sorry, I cannot judge pictures of people."), "sorry"),
        (says(None, refusal="not allowed"), "not allowed"),
        (says(""), "without text"),
        (says(GOOD[:-9]), "no JSON object"),
        (says('{"success": true, "score": 5}'), "no JSON object with a level"),
        (says('{"level": 7}'), "7"),
        (says('{"level": true}'), "True"),
        (says('{"level": "4"}'), "'4'"),
        (says('{"level": NaN}'), "nan"),
        (says('{"level": 4, "picture": 99}'), "99"),
        (fails(400, b"content filter"), "content filter"),
        (half_the_json, "not a chat completion"),
        (fails(200, b'{"object": "list"}'), "not a chat completion"),
        (fails(200, b"<html>login</html>"), "login"),
        (fails(200, b"\xff\xfe\x00"), "not a chat completion"),
    ],
)
def test_a_malformed_answer_is_not_scored_and_never_a_failure(answer, why):
    found = verdict(answer)
    assert (found.success, found.scored, found.progress, found.probability) == (None, False, None, None)
    assert why in found.reason


@pytest.mark.parametrize(
    "text",
    [
        f"Let me look. The arm moves {{closer}}.\n```json\n{GOOD}\n```\nHope this helps!",
        f'<think>perhaps {{"level": 2}}?</think>{GOOD}',
        f"{{ {GOOD}",
    ],
)
def test_words_around_the_answer_are_let_pass(text):
    assert verdict(says(text)).success is True


def test_few_malformed_votes_are_outvoted_many_are_not_scored():
    assert verdict(says("?"), says(GOOD), votes=3, parallel=1).success is True
    assert not verdict(says("?"), says("?"), says(GOOD), votes=3, parallel=1).scored
    assert not verdict(says("?"), says(GOOD), votes=2, parallel=1).scored


def test_a_server_that_stays_away_is_no_verdict_at_all():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    judge = vlm_judge(f"http://127.0.0.1:{port}/v1?model=toy&{FAST}&tries=2")
    (found,) = judge.judge([tiny_episode()])
    assert isinstance(found, Unheard)
    assert f"127.0.0.1:{port}" in found.reason
    assert "2 times" in found.reason
    assert isinstance(verdict(fails(502)), Unheard)
    assert isinstance(verdict(says(GOOD), fails(502), votes=3, parallel=1), Unheard)


@pytest.mark.parametrize("code", [401, 404, 302])
def test_what_another_try_cannot_cure_is_an_error_at_once(code):
    with chat_server(fails(code, b"no such model", Location="http://127.0.0.1:1/elsewhere")) as server:
        with pytest.raises(ReverieError, match=rf"{code}.*REVERIE_VLM_KEY"):
            judge_of(server).judge([tiny_episode()])
        assert len(server.asked) == 1


def test_the_key_travels_in_the_header_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("MY_KEY", "secret-123")
    with chat_server(says(GOOD)) as server:
        judge = judge_of(server, key="MY_KEY")
        (found,) = judge.judge([tiny_episode()])
    assert server.asked[0][1]["Authorization"] == "Bearer secret-123"
    assert "secret-123" not in repr((judge.about, judge.version, found, server.asked[0][2]))


def test_specs_are_checked():
    for spec, why in (
        ("vlm:", "names no endpoint"),
        ("vlm:http://h/v1", "names no model"),
        ("vlm:http://me:pass@h/v1?model=a", "user name"),
        ("vlm:http://h/v1?model=a&vote=3", "votes"),
        ("vlm:http://h/v1?model=a&votes=0", "at least 1"),
        ("vlm:http://h/v1?model=a&votes=many", "'many'"),
        ("vlm:http://h/v1?model=a&timeout_s=nan", "timeout_s"),
        ("vlm:http://h/v1?model=a&key=sk-abc", "NAME of an environment variable"),
    ):
        with pytest.raises(ReverieError, match=why) as caught:
            load_judge(spec)
        assert "pass@" not in str(caught.value)
        assert "sk-abc" not in str(caught.value)


def test_the_version_follows_what_decides_the_answers():
    base = "http://h:1/v1?model=a"
    versions = [vlm_judge(s).version for s in (base, f"{base}b", f"{base}&votes=5", f"{base}&frames=4")]
    assert len(set(versions)) == 4
    assert vlm_judge(f"{base}&tries=9&parallel=2").version == versions[0]
    about = vlm_judge(base).about
    assert "level" in about["prompt"]
    assert about["speaker"]["model"] == "a"


def test_episodes_without_pictures_or_words_are_not_asked_about():
    from dataclasses import replace

    episode = tiny_episode()
    blind = replace(episode, observations=replace(episode.observations, images={}))
    judge = vlm_judge("http://127.0.0.1:1/v1?model=a")
    verdicts = judge.judge([blind, replace(episode, instruction=" ")])
    assert [(v.success, v.scored) for v in verdicts] == [(None, True)] * 2
