"""Inference that takes time: every action at the step it was meant for, the old chunk meanwhile."""

import numpy as np
import pytest

from reverie.core import ActionChunk, ReverieError
from reverie.core.contracts import check_policy
from reverie.core.fakes import ACTION_SPEC, ConstantPolicy, FakeWorld, RandomPolicy, RememberingPolicy, fake_scenes
from reverie.rollouts import Chunked, Delayed, Ensembled, rollout
from reverie.rollouts.overlapped import Overlapped
from reverie.rollouts.windows import window


class Counting(ConstantPolicy):
    """Chunks of 6: action t of call c has dx = (10 c + t) / 1000."""

    def infer(self, observations, memory, seeds):
        call = np.zeros(len(seeds), np.int64) if memory is None else memory["call"]
        values = np.full((len(seeds), 6, 3), 0.5, np.float32)
        values[..., 0] = (10 * call[:, None] + np.arange(6)) / 1000
        return ActionChunk(values, ACTION_SPEC), {"call": call + 1}


def played(policy, n_steps, column=0):
    return rollout(policy, FakeWorld(), fake_scenes(1), [0], n_steps)[0].actions[:, column]


def dx(policy, n_steps):
    return np.round(played(policy, n_steps) * 1000, 3).tolist()


def test_the_old_chunk_goes_on_until_the_new_one_arrives():
    """Asked every 4 steps, answered one step later: of each later chunk the first action is past, and the old chunk's
    fifth is executed in its place."""
    assert dx(Overlapped(Counting(), 1, 4), 13) == [0, 0, 1, 2, 3, 11, 12, 13, 14, 21, 22, 23, 24]
    assert dx(Overlapped(Counting(), 2, 3), 12) == [0, 0, 0, 1, 2, 12, 13, 14, 22, 23, 24, 32]


def test_a_latency_as_long_as_the_time_between_calls():
    assert dx(Overlapped(Counting(), 3, 3), 12) == [0, 0, 0, 0, 1, 2, 13, 14, 15, 23, 24, 25]


def test_without_latency_it_is_chunked():
    assert dx(Overlapped(Counting(), 0, 4), 12) == dx(Chunked(Counting(), 4), 12)


def test_after_the_start_every_action_is_of_its_own_step():
    """A policy that plans the control step itself (s, s + 1, ...): overlapped it is right, delayed it is late."""

    class Clock(ConstantPolicy):
        def infer(self, observations, memory, seeds):
            now = np.round(observations.time_s[:, -1] * 10)  # [B], a frame every second step
            values = np.zeros((len(seeds), 8, 3), np.float32)
            values[..., 1] = (now[:, None] + np.arange(8)) / 1000
            return ActionChunk(values, ACTION_SPEC), None

    expected = np.arange(20) / 1000
    overlapped = played(Overlapped(Clock(), 2, 4), 20, column=1)
    np.testing.assert_allclose(overlapped[6:], expected[6:], atol=1e-6)
    np.testing.assert_allclose(overlapped[:6], [0, 0, 0, 0.001, 0.002, 0.003], atol=1e-6)  # the first chunk waits
    late = played(Delayed(Chunked(Clock(), 4), 2), 20, column=1)
    np.testing.assert_allclose(late[2:], expected[:-2], atol=1e-6)


def test_the_arm_holds_still_until_the_first_chunk():
    opening = played(Overlapped(Counting(), 2, 4), 4, column=2)
    assert opening.tolist() == [0.5] * 4  # absolute: as the first action has it
    assert dx(Overlapped(Counting(), 3, 3), 3) == [0, 0, 0]


def test_chunks_must_reach_to_the_next_answer():
    with pytest.raises(
        ReverieError, match="chunks of 6 actions: with 4 steps between calls and a latency of 3 they must have 7"
    ):
        dx(Overlapped(Counting(), 3, 4), 8)
    for late, every in ((5, 4), (-1, 4)):
        with pytest.raises(ReverieError, match=r"expected 0\.\.4"):
            Overlapped(Counting(), late, every)


@pytest.mark.parametrize(
    "policy",
    [
        Overlapped(RandomPolicy(), 2, 3),
        Overlapped(RememberingPolicy(n_action_steps=6), 2, 2),
        Overlapped(Ensembled(RememberingPolicy(n_action_steps=6)), 1, 2),
        Delayed(Overlapped(RememberingPolicy(n_action_steps=6), 1, 3), 2),
    ],
    ids=lambda p: p.name,
)
def test_it_keeps_the_contract_of_policies_and_nests(policy):
    world = FakeWorld()
    seen = window([world.reset(fake_scenes(3), [0, 1, 2])], policy.observation_spec, world.observation_spec)
    check_policy(policy, seen)
    first, again = (rollout(policy, world, fake_scenes(2), [0, 1], 9)[1].actions for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (9, 3)


def test_names_and_fingerprints_tell_settings_apart():
    settings = [Overlapped(Counting(), late, every) for late, every in ((1, 4), (2, 4), (1, 3))]
    assert len({p.name for p in settings}) == len({p.fingerprint for p in settings}) == 3
    assert settings[0].name == "constant+overlap1of4"
