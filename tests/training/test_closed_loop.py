"""Success while training: counted as it is in physics, with its interval, without a trace in the weights, never on test scenes."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from reverie.checkpoints import load, weights_hash
from reverie.collection import CollectConfig, collect
from reverie.core import ReverieError
from reverie.data import open_cache
from reverie.data.cache import FrameCache
from reverie.embodiments import panda
from reverie.policies import load_policy
from reverie.scenes.tasks import draw_scene
from reverie.stats import wilson
from reverie.training.behaviour_cloning import Demonstrations
from reverie.training.closed_loop import BLOCK, ClosedLoop, SuccessConfig
from reverie.training.fakes import fake_cache
from reverie.training.fit import PolicyRecipe, fit_policy
from reverie.training.team import Team

from .test_trainer import stopping_at
from .tiny import recipe

SPECS = (replace(panda.OBSERVATION_SPEC, extras=()), panda.ACTION_SPEC)
SUCCESS = SuccessConfig(every=16, scenes=3, steps=6)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    out = tmp_path_factory.mktemp("physics") / "data"
    collect(CollectConfig(4, tasks=("put",), seconds=6.0, depth=False), out)
    return open_cache(out)


def _recipe(success: SuccessConfig = SUCCESS) -> PolicyRecipe:
    return replace(recipe(48, state_every=16), success=success)


def _lines(out: Path) -> list[dict[str, object]]:
    found = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in found]


def test_it_is_measured_and_leaves_no_trace(cache: FrameCache, tmp_path: Path) -> None:
    fit_policy(cache, _recipe(), tmp_path / "with", quiet=True)
    fit_policy(cache, _recipe(SuccessConfig()), tmp_path / "without", quiet=True)
    hashes = {weights_hash(load(tmp_path / n).weights) for n in ("with", "without")}
    assert len(hashes) == 1
    found = [line for line in _lines(tmp_path / "with") if line["phase"] == "success"]
    assert [line["samples"] for line in found] == [16, 32, 48]
    assert all(line["n"] == 3 and line["errors"] == 0 for line in found)
    told = load(tmp_path / "with").receipt["success"]
    assert (told["task"], told["split"], told["n"], told["samples"]) == ("put", "validation", 3, 48)
    assert "success" not in load(tmp_path / "without").receipt
    assert [line for line in _lines(tmp_path / "with") if line["phase"] != "success"] == _lines(tmp_path / "without")


def test_a_kill_changes_nothing(cache: FrameCache, tmp_path: Path) -> None:
    fit_policy(cache, _recipe(), tmp_path / "whole", quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Demonstrations, "batch", stopping_at(3, Demonstrations.batch))
        with pytest.raises(KeyboardInterrupt):
            fit_policy(cache, _recipe(), tmp_path / "parts", quiet=True)
    fit_policy(cache, _recipe(), tmp_path / "parts", quiet=True)
    assert _lines(tmp_path / "parts") == _lines(tmp_path / "whole")
    assert load(tmp_path / "parts").receipt["success"] == load(tmp_path / "whole").receipt["success"]


def _loop(build: object, scenes: int, steps: int, seen: tuple[str, ...] = ()) -> ClosedLoop:
    return ClosedLoop(SuccessConfig(16, scenes, "put", steps), build, SPECS, seen)  # type: ignore[arg-type]


def _expert_until(n_successes: int) -> object:
    """A policy that solves the first scenes and crashes in the next one."""
    from reverie.policies import load_policy

    inner = load_policy("classical")
    expected = {draw_scene("put", "validation", i).instruction for i in range(n_successes)}

    def infer(observations, memory, seeds):  # type: ignore[no-untyped-def]
        if not set(observations.instructions) <= expected:
            raise RuntimeError("no idea")
        return inner.infer(observations, memory, seeds)

    model = SimpleNamespace(to=lambda device: None)
    named = {k: getattr(inner, k) for k in ("name", "fingerprint", "observation_spec", "action_spec", "n_action_steps")}
    return SimpleNamespace(model=model, infer=infer, **named)


@pytest.mark.slow
def test_successes_are_successes_and_crashes_are_errors() -> None:
    found = _loop(lambda weights: _expert_until(3), 4, 80).measure({}, Team())
    assert (found["n"], found["errors"]) == (3, 1)
    assert found["successes"] >= 2  # the classical pipeline solves nearly all
    rate = wilson(found["successes"], 3)
    assert (found["rate"], found["low"], found["high"]) == (rate.value, rate.low, rate.high)


def test_nothing_that_can_be_counted_is_no_rate() -> None:
    found = _loop(lambda weights: _expert_until(0), 2, 4).measure({}, Team())
    assert (found["n"], found["errors"], found["crash"]) == (0, 2, "RuntimeError: no idea")
    assert "rate" not in found


def test_only_validation_scenes() -> None:
    ids = {s.id for s in _loop(None, BLOCK + 1, 4).scenes}
    assert ids == {f"put/validation/{i}" for i in range(BLOCK + 1)}
    with pytest.raises(ReverieError, match="train on scenes of the split train"):
        _loop(None, 3, 4, seen=("put/validation/1",))
    with pytest.raises(ReverieError, match="scenes and steps >= 1"):
        SuccessConfig(every=1, scenes=0)


def test_another_robot_is_told_before_the_training(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="the data, success in physics"):
        fit_policy(fake_cache(6), _recipe(), tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_behaves_as_what_was_measured(cache: FrameCache, tmp_path: Path) -> None:
    fit_policy(cache, _recipe(), tmp_path / "policy", quiet=True)
    policy = load_policy(tmp_path / "policy")
    again = _loop(lambda weights: policy, 3, 6).measure({}, Team())
    told = load(tmp_path / "policy").receipt["success"]
    assert {k: told[k] for k in ("n", "successes", "errors")} == {k: again[k] for k in ("n", "successes", "errors")}
