"""The contract checks pass for everything that keeps the contracts, and fail for each way of breaking them."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.core.contracts import check_policy, check_world
from reverie.core.fakes import (
    ACTION_SPEC,
    ConstantPolicy,
    FakeWorld,
    RandomPolicy,
    ReachPolicy,
    RememberingPolicy,
    ScriptedPolicy,
    fake_scenes,
)
from reverie.rollouts import Chunked, Delayed, Ensembled, Recorded
from reverie.rollouts.windows import window

POLICIES = [
    ConstantPolicy(),
    RandomPolicy(),
    ReachPolicy(0.5),
    ScriptedPolicy(0.5),
    RememberingPolicy(),
    Chunked(RandomPolicy(), 2),
    Ensembled(RememberingPolicy(), m=0.1),
    Delayed(RememberingPolicy(), 2),
    Delayed(Ensembled(RandomPolicy()), 3),
]


def seen_by(policy, rows=3):
    world = FakeWorld()
    return window([world.reset(fake_scenes(rows), list(range(rows)))], policy.observation_spec, world.observation_spec)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.name)
def test_policies_keep_the_contract(policy):
    check_policy(policy, seen_by(policy))


@pytest.mark.parametrize("world", [FakeWorld(), FakeWorld(noise=0.05), FakeWorld(measures=False, drift=(0.01, 0))])
def test_the_fake_world_keeps_the_contract(world):
    check_world(world, fake_scenes(3))


class Forgets(FakeWorld):
    def step(self, actions):
        return super().step(actions[:, :1].repeat(actions.shape[1], axis=1))


class SharedNoise(FakeWorld):
    def reset(self, scenes, seeds):
        first = super().reset(scenes, seeds)
        self._rngs = [self._rngs[-1]] * len(seeds)
        return first


class Unlatched(FakeWorld):
    def _observe(self):
        seen = super()._observe()
        return replace(seen, extras={**seen.extras, "success": np.full(len(self._rngs), self._step == 4)})


class Unseeded(FakeWorld):
    def reset(self, scenes, seeds):
        return super().reset(scenes, [int(s) for s in np.random.default_rng().integers(1 << 30, size=len(seeds))])


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (Forgets(), "T at once = T times 1"),
        (SharedNoise(noise=0.1), "row 0 alone"),
        (Unlatched(), "not latched"),
        (Unseeded(noise=0.1), "same seeds again"),
    ],
)
def test_broken_worlds_are_found(world, message):
    with pytest.raises(ReverieError, match=message):
        check_world(world, fake_scenes(3))


class Hides(RandomPolicy):
    def infer(self, observations, memory, seeds):
        self.n = getattr(self, "n", 0) + 1
        return super().infer(observations, memory, [s + self.n for s in seeds])


class LooksAtNeighbours(ConstantPolicy):
    def infer(self, observations, memory, seeds):
        chunk, memory = super().infer(observations, memory, seeds)
        chunk.values[:, :, 0] = observations.commanded.mean() / 100
        return chunk, memory


class ShortMemory(ConstantPolicy):
    def infer(self, observations, memory, seeds):
        return super().infer(observations, memory, seeds)[0], {"x": np.zeros(5)}


@pytest.mark.parametrize(
    ("policy", "message"),
    [(Hides(), "asked apart"), (LooksAtNeighbours(), "asked apart"), (ShortMemory(), "memory 'x'")],
)
def test_broken_policies_are_found(policy, message):
    with pytest.raises(ReverieError, match=message):
        check_policy(policy, seen_by(policy))


def test_a_replay_is_row_indexed_through_its_memory():
    actions = np.random.default_rng(0).uniform(-0.1, 0.1, (3, 6, 3)).astype(np.float32)
    policy = Recorded(actions, ACTION_SPEC, 2, 2)
    seen = seen_by(policy)
    _, memory = policy.infer(seen, None, [0, 0, 0])
    alone, _ = policy.infer(seen[1:2], {k: v[1:2] for k, v in memory.items()}, [0])
    assert np.array_equal(alone.values[0], actions[1, 2:4])
