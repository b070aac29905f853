"""Wrappers: chunk length, temporal ensembling, replay, delay. All keep what they carry in the memory."""

import numpy as np
import pytest

from reverie.core import ActionChunk, ReverieError
from reverie.core.fakes import ACTION_SPEC, ConstantPolicy, FakeWorld, RandomPolicy, RememberingPolicy, fake_scenes
from reverie.rollouts import Chunked, Delayed, Ensembled, Recorded, executed_actions, rollout
from reverie.rollouts.ensembled import combine


class Counting(ConstantPolicy):
    """Chunks of 6: action t of call c has dx = (10 c + t) / 1000."""

    def infer(self, observations, memory, seeds):
        call = np.zeros(len(seeds), np.int64) if memory is None else memory["call"]
        values = np.zeros((len(seeds), 6, 3), np.float32)
        values[..., 0] = (10 * call[:, None] + np.arange(6)) / 1000
        return ActionChunk(values, ACTION_SPEC), {"call": call + 1}


def dx(policy, n_steps):
    return np.round(rollout(policy, FakeWorld(), fake_scenes(1), [0], n_steps)[0].actions[:, 0] * 1000, 3).tolist()


def test_chunked_executes_another_number_of_actions():
    assert dx(Chunked(Counting(), 2), 6) == [0, 1, 10, 11, 20, 21]
    with pytest.raises(ReverieError, match="chunks of 6"):
        dx(Chunked(Counting(), 7), 6)


def test_delayed_holds_still_and_then_plays_everything_later():
    assert dx(Delayed(Chunked(Counting(), 3), 2), 8) == [0, 0, 0, 1, 2, 10, 11, 12]
    assert dx(Delayed(Chunked(Counting(), 3), 0), 6) == dx(Chunked(Counting(), 3), 6)
    assert dx(Delayed(Chunked(Counting(), 1), 4), 7) == [0, 0, 0, 0, 0, 10, 20]


def reference_ensemble(chunks, m):
    """Algorithm 2 of the ACT paper as written: a buffer by time, one chunk a step."""
    out = []
    for t in range(len(chunks)):
        said = [chunks[c][t - c] for c in range(t + 1) if t - c < len(chunks[c])]  # the oldest first
        weights = np.exp(-m * np.arange(len(said)))
        out.append(np.average(said, axis=0, weights=weights))
    return np.array(out)


def test_ensembling_is_the_papers():
    policy = Chunked(RandomPolicy(), 5)
    scenes = fake_scenes(1)

    class Logged(RandomPolicy):
        def infer(self, observations, memory, seeds):
            chunk, memory = super().infer(observations, memory, seeds)
            self.log = [*getattr(self, "log", []), chunk.values[0]]
            return chunk, memory

    inner = Logged()
    executed = rollout(Ensembled(inner, m=0.3), FakeWorld(), scenes, [0], 12)[0].actions
    assert np.allclose(executed, reference_ensemble(inner.log, 0.3), atol=1e-6)
    assert policy.n_action_steps == 5


def test_ensembling_every_second_step():
    chunks = np.array([[[4.0], [5], [6], [7], [8]], [[2.0], [3], [4], [5], [6]], [[0.0], [1], [2], [3], [4]]], np.float32)[None]  # fmt: skip
    assert np.allclose(combine(chunks, 2, 0.0)[0, :, 0], [(4 + 4 + 4) / 3, (5 + 5) / 2, (6 + 6) / 2, 7, 8])


def test_recorded_repeats_an_episode_exactly():
    scenes, world = fake_scenes(3), FakeWorld(noise=0.03)
    first = rollout(RandomPolicy(), world, scenes, [5, 6, 7], 11)
    replay = Recorded(executed_actions(first), ACTION_SPEC, frame_every=2, n_action_steps=4)
    again = rollout(replay, world, scenes, [5, 6, 7], 11)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.observations.measured, b.observations.measured)


def test_recorded_holds_still_after_the_end():
    actions = np.full((1, 3, 3), 0.5, np.float32)
    episode = rollout(Recorded(actions, ACTION_SPEC, 2, 2), FakeWorld(), fake_scenes(1), [0], 6)[0]
    assert episode.actions[3:].tolist() == [[0, 0, 0.5]] * 3
    with pytest.raises(ReverieError, match="give one each"):
        rollout(Recorded(actions, ACTION_SPEC, 2), FakeWorld(), fake_scenes(2), [0, 1], 4)


def test_wrappers_nest():
    policy = Delayed(Ensembled(RememberingPolicy(n_action_steps=6)), 2)
    assert policy.name == "remembering+ensemble+delay2"
    assert rollout(policy, FakeWorld(), fake_scenes(2), [0, 1], 9)[1].n_steps == 9
