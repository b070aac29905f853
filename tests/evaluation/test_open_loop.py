"""Open-loop action error against numbers known in advance, with policies that know, that guess and that do nothing."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from reverie.core import ActionChunk, ObservationSpec
from reverie.core.fakes import ACTION_SPEC, tiny_episode
from reverie.evaluation.open_loop import open_loop

SHOWN = ObservationSpec((), commanded=("x",), frame_every=2)


@dataclass
class Always:
    """The same chunk [T, A] whatever it sees."""

    chunk: np.ndarray
    action_spec: object = ACTION_SPEC
    observation_spec: object = SHOWN
    name: str = "always"
    fingerprint: str = "-"
    n_action_steps: int = 1

    def infer(self, observations, memory, seeds):
        return ActionChunk(np.repeat(self.chunk[None], len(seeds), 0).astype(np.float32), self.action_spec), None


def takes(n=3, n_frames=4):
    episode = tiny_episode(n_frames)
    rng = np.random.default_rng(0)
    return {f"take {i}": replace(episode, actions=rng.normal(size=(6, 3)).astype(np.float32)) for i in range(n)}


def chunk(values, horizon=3):
    return np.repeat(np.asarray(values)[None], horizon, 0)


def test_the_mean_action_gains_nothing_over_itself():
    episodes = takes()
    actions = np.concatenate([e.actions for e in episodes.values()])
    found = open_loop(Always(chunk(actions.mean(0))), episodes, actions)
    assert found.gain.value == pytest.approx(0, abs=1e-6)
    assert found.policy.overall["normalised"].value == pytest.approx(found.mean_action.overall["normalised"].value)


def test_errors_are_in_physical_units_by_group_and_step():
    recorded = np.tile(np.array([0.02, 0.0, 1.0], np.float32), (6, 1))
    episodes = {k: replace(e, actions=recorded) for k, e in takes().items()}
    training = np.array([[0, 0, 0], [0.2, 0.2, 2.0]], np.float32)  # standard deviations .1, .1, 1
    wrong = chunk([0.02, 0.0, 1.0])
    wrong[2] = [0.04, 0.04, 0.5]
    found = open_loop(Always(wrong), episodes, training).policy
    steps = {k: [e.value for e in v] for k, v in found.by_step.items()}
    assert steps["position"] == pytest.approx([0, 0, 0.03], abs=1e-6)
    assert steps["gripper"] == pytest.approx([0, 0, 0.5], abs=1e-6)
    assert steps["normalised"][2] == pytest.approx((0.2 + 0.4 + 0.5) / 3, rel=1e-3)
    assert "rotation" not in steps  # the toy robot has none: absent, not 0


def test_past_the_end_of_a_take_nothing_is_compared():
    """Frames at steps 0, 2, 4 of 6 actions: a chunk of 3 has its third step only twice."""
    episodes = takes(1)
    (episode,) = episodes.values()
    found = open_loop(Always(chunk([0.0, 0, 0])), episodes, episode.actions).policy
    compared = np.abs(episode.actions[[2, 4]])[:, :2].mean()
    assert found.by_step["position"][2].value == pytest.approx(compared)
    assert found.by_step["position"][2].low is None  # one take


def test_holding_still_repeats_absolute_commands_and_zeroes_deltas():
    episodes = takes(1)
    (episode,) = episodes.values()
    still = open_loop(Always(chunk([0.0, 0, 0], 1)), episodes, episode.actions).hold_still.by_step
    assert still["position"][0].value == pytest.approx(np.abs(episode.actions[[0, 2, 4], :2]).mean())
    changes = np.abs(episode.actions[[2, 4], 2] - episode.actions[[1, 3], 2])
    assert still["gripper"][0].value == pytest.approx(changes.mean())  # at reset no opening is known under that name
