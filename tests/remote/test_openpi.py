"""Policies behind the openpi protocol: our client and the stock one against our server, ours against servers that misbehave."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from urllib.request import urlopen

import numpy as np
import pytest
import yaml
from websockets.sync.client import connect
from websockets.sync.server import serve as listen

from reverie.core import ReverieError, SpecMismatch, TrialKey
from reverie.core.contracts import check_policy
from reverie.core.fakes import ACTION_SPEC, CrashingPolicy, FakeWorld, ReachPolicy, RememberingPolicy, fake_scenes
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.resolve import load_policy
from reverie.remote import connection
from reverie.remote.wire import pack, unpack
from reverie.rollouts import rollout
from reverie.rollouts.windows import window
from reverie.serving import serve
from reverie.trials import RECEIPTS, TRIALS

TRUE, JUDGE = "fake:FakeWorld?name=true", "fake:RecordedOutcomeJudge"
SPEC = {
    "name": "theirs",
    "send": {
        "images/front": {"camera": "front", "shown": [16, 16], "sent": [16, 16]},
        "commanded": [{"part": "commanded", "names": ["x", "y", "z", "opening"]}],
        "prompt": "instruction",
    },
    "frame_every": 2,
    "n_action_steps": 3,
    "answer": {
        "actions": {k: list(v) if isinstance(v, tuple) else v for k, v in ACTION_SPEC.to_dict().items() if k not in ("low", "high")}
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(connection, "PAUSES_S", (0.05, 0.1, 0.2))


def described(tmp_path, **changes):
    path = tmp_path / "theirs.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **changes}, sort_keys=False))
    return path


def answering(**changes):
    """SPEC's answer, changed."""
    spec = SPEC["answer"]["actions"]
    ours = {k: v for k, v in changes.items() if k not in spec}
    return {"actions": spec | {k: v for k, v in changes.items() if k in spec}, **ours}


def request(*policies):
    fields = {"worlds": (TRUE,), "scenes": ("fake:3",), "judges": (JUDGE,), "truth": (TRUE, JUDGE), "n_steps": 6}
    return Request(policies=policies, block_size=2, **fields)


@contextmanager
def answered(reply):
    """A server that answers each request with reply(socket, request); metadata {}."""

    def talk(socket):
        socket.send(pack({}))
        for message in socket:
            reply(socket, unpack(message))

    server = listen(talk, "127.0.0.1", 0, compression=None, max_size=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        thread.join()


def once_well(then):
    """Answers the first request well, so that the description is proven, and then as `then` does."""
    calls = []

    def reply(socket, request):
        calls.append(request)
        if len(calls) == 1:
            socket.send(pack({"actions": np.zeros((3, 3), np.float32)}))
        else:
            then(socket)

    return reply


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager")
def test_the_stock_client_speaks_to_our_server():
    stock = pytest.importorskip("openpi_client.websocket_client_policy", reason="pip install --no-deps openpi-client")
    world, scenes, policy = FakeWorld(), fake_scenes(1), ReachPolicy(0.7)
    seen = world.reset(scenes, [0])
    with serve(policy, port=0) as port:
        client = stock.WebsocketClientPolicy("127.0.0.1", port)
        assert client.get_server_metadata()["reverie"]["action_spec"]["names"] == list(ACTION_SPEC.names)
        asked = {"images/front": seen.images["front"][0], "commanded": seen.commanded[0], "prompt": "go", "seed": 5}
        answer = client.infer(asked)
        local, _ = policy.infer(seen.map(lambda v: v[:, None]), None, [5])
        np.testing.assert_array_equal(answer["actions"], local.values[0])
        assert answer["server_timing"]["infer_ms"] >= 0
        with pytest.raises(RuntimeError, match=r"found no 'images/front' in the request"):
            client.infer({"prompt": "go"})
        with urlopen(f"http://127.0.0.1:{port}/healthz") as health:
            assert (health.status, health.read()) == (200, b"OK\n")


def test_our_client_gives_what_the_policy_gives():
    world, scenes = FakeWorld("true"), fake_scenes(3)
    keys = [TrialKey("reach", "true", s.id) for s in scenes]
    direct = rollout(ReachPolicy(0.7), world, scenes, keys, 12)
    with serve(ReachPolicy(0.7), port=0) as port:
        policy = load_policy(f"openpi://127.0.0.1:{port}")
        assert (policy.name, policy.n_action_steps) == ("reach", 3)
        for a, b in zip(direct, rollout(policy, world, scenes, keys, 12), strict=True):
            np.testing.assert_array_equal(a.actions, b.actions)
        seen = world.reset(scenes, [0, 1, 2])
        check_policy(policy, window([seen], policy.observation_spec, world.observation_spec))
        policy.close()


def test_a_server_remembers_one_trial_a_connection():
    world, scenes = FakeWorld("true"), fake_scenes(2)
    direct = rollout(RememberingPolicy(), world, scenes, [0, 1], 12)
    with serve(RememberingPolicy(), port=0) as port:
        policy = load_policy(f"openpi://127.0.0.1:{port}")
        for _ in range(2):  # the second time from the beginning
            for a, b in zip(direct, rollout(policy, world, scenes, [0, 1], 12), strict=True):
                np.testing.assert_array_equal(a.actions, b.actions)
        policy.close()


def test_a_stranger_is_evaluated_as_described_and_the_receipt_keeps_the_description(tmp_path):
    with serve(ReachPolicy(0.9), port=0) as port:
        spec = f"openpi://127.0.0.1:{port}?spec={described(tmp_path)}"
        evaluate(make_plan(request(spec)), tmp_path / "run")
    trials = list(TRIALS.read(tmp_path / "run"))
    assert [t.error for t in trials] == [None] * 3
    assert {t.key.policy for t in trials} == {"theirs"}
    (receipt,) = RECEIPTS.read(tmp_path / "run")
    assert receipt.content["policy"]["about"]["description"]["send"]["prompt"] == "instruction"


def test_explicit_conversions_are_done(tmp_path):
    """A server that flips the gripper, mirrors y, speaks of halves of metres in another order and at twice the rate."""

    def reply(socket, request):
        assert request["image"].shape == (3, 8, 12)
        np.testing.assert_allclose(request["state"][0], 1 - request["opening"][0])
        socket.send(pack({"out": np.tile(np.array([0.0, 0.02, 0.1, 9.0]), (8, 1))}))

    theirs = {"names": ["grip", "right", "ahead", "unused"], "units": ["1", "half", "m", "1"], "frame": "base"}
    theirs |= {"modes": ["absolute", "delta", "delta", "absolute"], "rotation": "none", "gripper": "open0_closed1"}
    path = described(
        tmp_path,
        send={
            "image": {"camera": "front", "shown": [16, 16], "sent": [8, 12], "layout": "chw", "channels": "bgr"},
            "state": [{"part": "commanded", "names": ["opening"], "flip": True}],
            "opening": [{"part": "commanded", "names": ["opening"]}],
        },
        answer={
            "out": {**theirs, "control_hz": 20.0},
            "columns": {"dx": "ahead", "dy": "right", "gripper": "grip"},
            "scale": {"dy": [0.5, "m"]},
            "negate": ["dy"],
            "flip": ["gripper"],
            "control_hz": 10,
        },
    )
    with answered(reply) as port:
        policy = load_policy(f"openpi://127.0.0.1:{port}?spec={path}")
        assert replace(policy.action_spec, low=ACTION_SPEC.low, high=ACTION_SPEC.high) == ACTION_SPEC
        (episode,) = rollout(policy, FakeWorld(), fake_scenes(1), [0], 3)
        np.testing.assert_allclose(episode.actions, np.tile([0.2, -0.02, 1.0], (3, 1)), atol=1e-6)
        policy.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": answering(gripper="open0_closed1")}, "action gripper: policy has 'open0_closed1', world expects 'closed0_open1'"),
        ({"answer": answering(control_hz=20.0)}, "action control_hz: policy has 20.0, world expects 10.0"),
        ({"answer": answering(columns={"dy": "dy", "dx": "dx", "gripper": "gripper"})}, r"action names: policy has \('dy', 'dx'"),
        ({"send": SPEC["send"] | {"images/front": {"camera": "frnt", "shown": [16, 16], "sent": [16, 16]}}}, "camera 'frnt': policy needs it|found no 'images"),
        ({"frame_every": 1}, "frame_every: policy has 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_world_is_refused_before_the_first_trial(tmp_path, changes, message):
    with serve(ReachPolicy(), port=0) as port:
        spec = f"openpi://127.0.0.1:{port}?spec={described(tmp_path, **changes)}"
        with pytest.raises(SpecMismatch, match=message):
            make_plan(request(spec))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"send": {"prompt": "instruction"}}, "found no 'images/front' in the request"),
        ({"n_action_steps": 9}, r"answered with 3 actions .* expected n_action_steps \(9\)"),
        ({"answer": {"action": SPEC["answer"]["actions"]}}, r"answered with \['actions', 'server_timing'\], expected the key 'action'"),
        ({"answer": answering(names=["dx", "dy"], units=["m", "m"], modes=["delta", "delta"])}, r"float32 \[3, 3\], expected numbers \[T, 2\]"),
        ({"answer": answering(flip=["grip"])}, r"theirs.yaml: answer: unknown name in flip: 'grip'; did you mean 'gripper'"),
        ({"answer": answering(control_hz=15.0) | {"control_hz": 10}}, "whole multiple"),
        ({"nonsense": 1}, r"unknown entry of the description: 'nonsense'"),
        ({"send": {"a": {"camera": "front", "shown": [16], "sent": [4, 4]}}}, r"send, a: shown is \(16,\)"),
        ({"send": {"a": 3}}, r"send, a is 3, expected a camera"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_server_is_refused_before_the_first_trial(tmp_path, changes, message):
    with serve(ReachPolicy(), port=0) as port, pytest.raises(ReverieError, match=message):
        make_plan(request(f"openpi://127.0.0.1:{port}?spec={described(tmp_path, **changes)}"))


def test_a_stranger_without_a_description_is_refused():
    with (
        answered(lambda socket, request: None) as port,
        pytest.raises(ReverieError, match=r"says nothing of itself.*\?spec=FILE"),
    ):
        load_policy(f"openpi://127.0.0.1:{port}")  # fmt: skip
    with pytest.raises(ReverieError, match=r"nobody answers .* asked 4 times"):
        load_policy(f"openpi://127.0.0.1:{port}")
    with pytest.raises(ReverieError, match="expected openpi://HOST:PORT"):
        load_policy("openpi://")


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (lambda s: s.send("Traceback\nKeyError: 'wrist'"), "error in the server: KeyError: 'wrist'"),
        (lambda s: s.send(b"\xc1\xff"), "no msgpack message"),
        (lambda s: s.send(pack({"action": 1})), r"answered with \['action'\], expected the key 'actions'"),
        (lambda s: s.send(pack({"actions": np.zeros((3, 4))})), r"float64 \[3, 4\], expected numbers \[T, 3\]"),
        (lambda s: s.send(pack({"actions": np.full((3, 3), np.nan)})), "action 'dx' of step 0 is nan: not finite"),
        (lambda s: None, "no sign of an answer within 0.3 s"),
        (lambda s: s.close(), "closed the connection twice"),
    ],
)
def test_a_server_that_misbehaves_is_an_error_of_the_trial(tmp_path, then, message):
    with answered(once_well(then)) as port:
        spec = f"openpi://127.0.0.1:{port}?spec={described(tmp_path, timeout_s=0.3)}"
        plan = make_plan(replace(request(spec), scenes=("fake:1",)))
        # The worker opens the policy again, and that is proven again: as if the server had begun to misbehave afterwards.
        policy = load_policy_unproven(spec)
        keys = [TrialKey("theirs", "true", s.id) for s in plan.scenes]
        with pytest.raises(ReverieError, match=message):
            rollout(policy, FakeWorld("true"), plan.scenes, keys, 3)
        policy.close()


def load_policy_unproven(spec):
    from reverie.remote import RemotePolicy, read_description

    address, _, path = spec.partition("?spec=")
    from pathlib import Path

    return RemotePolicy("ws" + address.removeprefix("openpi"), read_description(Path(path)), {}, "theirs")


def test_a_run_goes_on_past_a_server_that_fails_in_between(tmp_path):
    """Its third answer is an error: that trial is one, the others are not."""
    calls = []

    def reply(socket, request):
        calls.append(1)
        if request["commanded"][0] > 0.2 and len(calls) > 1:
            socket.send("ValueError: too far to the right")
        else:
            socket.send(pack({"actions": np.zeros((3, 3), np.float32)}))

    with answered(reply) as port:
        evaluate(make_plan(request(f"openpi://127.0.0.1:{port}?spec={described(tmp_path)}")), tmp_path / "run")
    errors = {t.key.scene: t.error for t in TRIALS.read(tmp_path / "run")}
    wrong = {s.id for s in fake_scenes(3) if s.robot_start[0] > 0.2}
    assert 0 < len(wrong) < 3
    assert {scene for scene, error in errors.items() if error} == wrong
    assert all("too far to the right" in errors[scene] for scene in wrong)


def test_a_server_that_was_started_again_is_asked_again(tmp_path):
    calls = []

    def reply(socket, request):
        calls.append(1)
        if len(calls) == 3:
            socket.close()
        else:
            socket.send(pack({"actions": np.zeros((3, 3), np.float32)}))

    with answered(reply) as port:
        policy = load_policy(f"openpi://127.0.0.1:{port}?spec={described(tmp_path)}")
        (episode,) = rollout(policy, FakeWorld(), fake_scenes(1), [0], 9)
        assert episode.n_steps == 9
        policy.close()


def test_arrays_travel_as_the_protocol_says():
    packed = pack({"a": np.arange(6, dtype=np.int16).reshape(2, 3), "b": np.float32(0.5), "c": [True, "x", None]})
    import msgpack

    raw = msgpack.unpackb(packed)
    assert raw["a"] == {b"__ndarray__": True, b"data": bytes([0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]), b"dtype": "<i2", b"shape": [2, 3]}  # fmt: skip
    back = unpack(packed)
    np.testing.assert_array_equal(back["a"], np.arange(6).reshape(2, 3))
    assert (back["a"].dtype, back["b"], back["c"]) == (np.int16, 0.5, [True, "x", None])
    with_strings = {"__ndarray__": True, "data": b"\0\0\x80?", "dtype": "<f4", "shape": [1]}
    np.testing.assert_array_equal(unpack(msgpack.packb(with_strings)), np.ones(1, np.float32))
    for refused in ({"__ndarray__": True, "data": b"", "dtype": "|O", "shape": [1]}, {"__ndarray__": True, "data": b"12", "dtype": "<f4", "shape": [1]}):  # fmt: skip
        with pytest.raises(ReverieError):
            unpack(msgpack.packb(refused))
    with pytest.raises(ReverieError, match="array of object"):
        pack(np.array([None]))


def test_pictures_are_fitted_as_the_stock_client_does():
    tools = pytest.importorskip("openpi_client.image_tools", reason="pip install --no-deps openpi-client")
    from reverie.remote.description import SentImage
    from reverie.remote.sending import picture

    image = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    for size in ((224, 224), (32, 40), (48, 80)):
        ours = picture(SentImage("front", (48, 80), size), image)
        np.testing.assert_array_equal(ours, tools.resize_with_pad(image, *size))


def test_policies_out_of_python(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "from reverie.core.fakes import ReachPolicy\nmake = lambda: ReachPolicy(0.5, name='mine')\nnone = object\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_policy("mine:make").name == load_policy("python:mine:make").name == "mine"
    with pytest.raises(ReverieError, match="found a object without name, fingerprint"):
        load_policy("mine:none")
    with pytest.raises(ReverieError, match="has no attribute 'nothing'"):
        load_policy("mine:nothing")
    with pytest.raises(ReverieError, match="unknown policy 'your:make'"):
        load_policy("your:make")


def test_a_plan_with_a_description_is_read_back(tmp_path):
    from reverie.evaluation.plan import Plan

    with serve(ReachPolicy(), port=0) as port:
        plan = make_plan(request(f"openpi://127.0.0.1:{port}?spec={described(tmp_path)}"))
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def sent(port, *requests):
    """Answers to requests of one connection, and from which port of ours they were sent."""
    with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
        client.recv()
        mine, answers = client.local_address[1], []
        for asked in requests:
            client.send(asked if isinstance(asked, bytes) else pack(asked))
            answers.append(client.recv())
        return answers, mine


def test_the_server_says_what_it_serves_and_one_line_for_every_failed_request(capsys):
    seen = FakeWorld().reset(fake_scenes(1), [0])
    asked = {f"images/{c}": v[0] for c, v in seen.images.items()} | {"commanded": seen.commanded[0], "prompt": "go"}
    policy = CrashingPolicy(instruction="explode")
    with serve(policy, port=0) as port:
        (_, reply), crashed = sent(port, asked, asked | {"prompt": "explode"})
        assert "this policy crashes on purpose" in reply  # the client hears the whole traceback
        _, wrong = sent(port, {"prompt": "go"})
        _, torn = sent(port, b"\xc1")
        (_, after), _ = sent(port, asked, asked)
        assert unpack(after)["actions"].shape == (4, 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"crashing ({policy.fingerprint}) listens at ws://127.0.0.1:{port}"
    assert lines[1] == f"127.0.0.1:{crashed}: request 2 failed: RuntimeError: this policy crashes on purpose"
    assert lines[2].startswith(f"127.0.0.1:{wrong}: request 1 failed: found no 'images/front' in the request")
    assert lines[3].startswith(f"127.0.0.1:{torn}: request 1 failed: ")
    assert len(lines) == 4


def test_a_client_that_dies_is_one_line(capsys):
    said, began = "", time.monotonic()
    with serve(ReachPolicy(0.7), port=0) as port:
        with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
            client.recv()
            client.socket.shutdown(socket.SHUT_RDWR)
        while "lost" not in said and time.monotonic() < began + 10:
            said += capsys.readouterr().err
            time.sleep(0.05)
    _, line = said.splitlines()
    assert re.match(r"127\.0\.0\.1:\d+: the connection was lost \(ConnectionClosedError", line)


def test_the_verb_says_where_it_listens(tmp_path):
    command = [
        sys.executable,
        "-m",
        "reverie.cli.main",
        "serve",
        "fake:ReachPolicy?skill=0.7&name=reach",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            uri, said = process.stdout.readline().strip(), process.stderr.readline().strip()
            assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", uri)
            assert re.fullmatch(rf"reach \(\w+\) listens at {uri}", said)
            sent(int(uri.rpartition(":")[2]), {"prompt": "go"})
            assert "request 1 failed: found no" in process.stderr.readline()
        finally:
            process.terminate()
