"""Policies that are wired up wrong are found, and a right one passes: a shipped policy, on what the expert did."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from reverie.cli.main import main
from reverie.collection import CollectConfig, collect
from reverie.core import ActionChunk, ReverieError
from reverie.core.fakes import tiny_episode
from reverie.data import open_cache
from reverie.data.recorded import recorded_episodes
from reverie.evaluation.resolve import load_policy
from reverie.evaluation.wiring import check_wiring
from reverie.evaluation.wiring.scales import scales
from reverie.rollouts.wrapper import Wrapper
from reverie.stats import mean_above_zero


@dataclass
class Miswired(Wrapper):
    """A policy whose actions or observations are changed on the way."""

    actions: Any = None
    observations: Any = None
    name: str = "miswired"
    fingerprint: str = "-"

    @property
    def n_action_steps(self):
        return self.inner.n_action_steps

    def infer(self, observations, memory, seeds):
        seen = self.observations(observations) if self.observations else observations
        chunk, memory = self.inner.infer(seen, memory, seeds)
        values = self.actions(chunk.values) if self.actions else chunk.values
        return ActionChunk(np.ascontiguousarray(values, np.float32), chunk.spec), memory


def gripper_turned(values):
    return np.concatenate([values[..., :6], 1 - values[..., 6:]], -1)


def axes_exchanged(values):
    return values[..., [1, 0, 2, 3, 4, 5, 6]]


def half_the_rate(values):
    return np.concatenate([2 * values[..., :6], values[..., 6:]], -1)


def normalised(values):
    return values / np.array([0.01, 0.01, 0.015, 0.015, 0.015, 0.04, 0.45])


def late(values):
    return np.concatenate([values[:, :1]] * 4 + [values[:, :-4]], 1)


def cameras_exchanged(seen):
    return replace(seen, images={**seen.images, "front": seen.images["wrist"], "wrist": seen.images["front"]})


def bgr(seen):
    return replace(seen, images={k: v[..., ::-1] for k, v in seen.images.items()})


def deaf(seen):
    return replace(seen, instructions=("put the red brick in the bowl",) * len(seen.instructions))


WRONG = {
    "gripper": (Miswired, {"actions": gripper_turned}, "gripper is turned round"),
    "axes": (Miswired, {"actions": axes_exchanged}, "dx and dy are exchanged"),
    "rate": (Miswired, {"actions": half_the_rate}, "dx dy dz is too large by a factor of 2: as of a controller at half the rate"),
    "normalised": (Miswired, {"actions": normalised}, "not turned back"),
    "late": (Miswired, {"actions": late}, "everything comes 4 control steps late"),
    "cameras": (Miswired, {"observations": cameras_exchanged}, "cameras front and wrist are exchanged"),
    "colours": (Miswired, {"observations": bgr}, r"red and blue are exchanged \(BGR\)"),
    "deaf": (Miswired, {"observations": deaf}, "the instruction is ignored"),
}  # fmt: skip


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory):
    root = tmp_path_factory.mktemp("wiring") / "data"
    config = CollectConfig(episodes=10, tasks=("put",), mix="clean_expert", split="validation", depth=False)
    return collect(config, root)


@pytest.fixture(scope="module")
def episodes(demonstrations):
    return recorded_episodes(open_cache(demonstrations))


@pytest.fixture(scope="module")
def right():
    return load_policy("shipped:vla-d")


@pytest.mark.slow
def test_a_right_policy_passes(right, episodes):
    found = check_wiring(right, episodes, n_frames=5)
    assert (found.verdict, found.findings) == ("right", ())
    assert sum(t.ruled_out for t in found.tried) > 20
    assert not found.listening.ignored


@pytest.mark.slow
@pytest.mark.parametrize("how", WRONG)
def test_a_miswired_policy_is_found(right, episodes, how):
    kind, changes, words = WRONG[how]
    found = check_wiring(kind(right, **changes), episodes, n_frames=5)
    assert found.verdict == "wrong"
    assert any(re.search(words, f) for f in found.findings), found.findings


@pytest.mark.slow
def test_the_verb_says_it_in_words_and_in_numbers(demonstrations, capsys):
    assert main(["check", "shipped:vla-d", str(demonstrations), "--frames", "4"]) == 0
    assert "vla-d: wired up right" in capsys.readouterr().out
    assert main(["check", "nothing", str(demonstrations), "--frames", "4", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "wrong"
    assert "it fits what was done no better than the mean action does" in found["findings"]


def test_specs_that_differ_are_the_verdict(right):
    found = check_wiring(right, [tiny_episode()])
    assert found.verdict == "wrong"
    assert any("action names: policy has" in p for p in found.findings)
    with pytest.raises(ReverieError, match="no episode"):
        check_wiring(right, [])


@dataclass
class Knowing:
    """Answers what was recorded, with some noise."""

    episodes: Any
    noise: float = 0.01
    name: str = "knowing"
    fingerprint: str = "-"
    n_action_steps: int = 1

    def __post_init__(self):
        first = self.episodes[0]
        self.observation_spec = replace(first.observation_spec, extras=("number",))
        self.action_spec = first.action_spec

    def infer(self, observations, memory, seeds):
        numbers = observations.extras["number"][:, -1].astype(int)
        rng = np.random.default_rng(int(numbers[0]))
        found = np.stack([self.episodes[n // 100].actions[n % 100][None] for n in numbers])
        return ActionChunk((found + rng.normal(0, self.noise, found.shape)).astype(np.float32), self.action_spec), None


def numbered(n_episodes, n_frames=9):
    """Episodes whose actions are drawn by lot, and whose frames say which they are."""
    rng, found = np.random.default_rng(3), []
    for i in range(n_episodes):
        episode = tiny_episode(n_frames)
        actions = rng.normal(0, 0.05, episode.actions.shape).astype(np.float32)
        actions[:, 2] = rng.integers(0, 2, len(actions))
        seen = replace(episode.observations, extras={"number": 100.0 * i + episode.frame_steps})
        found.append(
            replace(
                episode,
                actions=actions,
                observations=seen,
                observation_spec=replace(episode.observation_spec, extras=("number",)),
                instruction=f"do {i % 2}",
            )
        )
    return found


def test_too_few_episodes_are_no_verdict_and_one_sentence_tells_nothing_of_listening():
    episodes = [replace(e, instruction="do") for e in numbered(2)]
    found = check_wiring(Knowing(episodes), episodes)
    assert found.verdict == "undecided"
    assert found.listening is None


def test_what_a_right_policy_may_be_is_hardly_ever_called_wrong():
    """A noisy one, over fresh data: at 5 % a run, with all alternatives together."""
    wrong = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        episodes = [replace(e, actions=(e.actions * rng.uniform(0.8, 1.2)).astype(np.float32)) for e in numbered(8)]
        found = check_wiring(Knowing(episodes, noise=0.04), episodes, must_listen=False)
        wrong += found.verdict == "wrong"
    assert wrong <= 1


def test_a_policy_that_knows_nothing_is_no_wrong_scale():
    rng = np.random.default_rng(0)
    spec = numbered(1)[0].action_spec
    recorded = [rng.normal(0, 0.05, (30, 1, 3)) for _ in range(12)]
    faint = [0.002 * r + rng.normal(0, 0.003, r.shape) for r in recorded]
    assert [s.words for s in scales(faint, recorded, spec)] == [None] * 4
    halved = [0.5 * r + rng.normal(0, 0.003, r.shape) for r in recorded]
    found = {s.name: s.words for s in scales(halved, recorded, spec)}
    assert "twice the rate" in found["dx dy"]
    assert "twice the rate" in found["gripper"]
    assert found["dx"] is found["dy"] is None  # a unit is judged as a whole


def test_the_t_test_is_scipys_and_knows_its_limits():
    assert mean_above_zero([1.0, 2.0, 3.0, 4.0], "units").value == pytest.approx(0.0152, abs=1e-4)  # t = 3.873, 3 df
    assert mean_above_zero([0.0, 0.0, 0.0], "units").value == 1
    assert mean_above_zero([1.0, 2.0], "units").value is None
