"""What a user of `rollout` relies on: windows, seeds, memory, success, and no neighbour's influence."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import Event, Observations, ReverieError, SpecMismatch, Transition, TrialKey
from reverie.core.fakes import (
    ConstantPolicy,
    FakeWorld,
    NaNPolicy,
    RandomPolicy,
    ReachPolicy,
    RememberingPolicy,
    ScriptedPolicy,
    fake_scenes,
)
from reverie.core.fakes.specs import OBSERVATION_SPEC
from reverie.rollouts import rollout
from reverie.rollouts.windows import window_indices


def same(a, b):
    left, right = a.observations.arrays(), b.observations.arrays()
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[k], right[k]) for k in left)
    assert np.array_equal(a.actions, b.actions)
    assert (a.success, a.success_time_s, a.events) == (b.success, b.success_time_s, b.events)


def keys(scenes, policy="p", replicate=0):
    return [TrialKey(policy, "fake", s.id, replicate=replicate) for s in scenes]


@pytest.mark.parametrize(
    ("n_frames", "n_obs", "stride", "expected"),
    [(1, 3, 1, [0, 0, 0]), (5, 3, 1, [2, 3, 4]), (5, 3, 2, [0, 2, 4]), (4, 3, 2, [0, 1, 3]), (7, 1, 3, [6])],
)
def test_windows_hold_the_newest_frame_last_and_repeat_the_first(n_frames, n_obs, stride, expected):
    spec = replace(OBSERVATION_SPEC, n_obs_steps=n_obs, obs_stride=stride)
    assert window_indices(n_frames, spec) == expected


class Spy(RememberingPolicy):
    def infer(self, observations, memory, seeds):
        self.seen = [*getattr(self, "seen", []), (observations, tuple(seeds))]
        return super().infer(observations, memory, seeds)


def test_a_policy_sees_only_what_its_spec_asks_in_the_order_it_asks():
    spy, scenes = Spy(), fake_scenes(2)
    episodes = rollout(spy, FakeWorld(), scenes, [1, 2], 10)
    seen, _ = spy.seen[2]  # after 6 steps: frames 0, 2, 4, 6; the window is frames 0, 0 -> padded, 2 back
    assert set(seen.arrays()) == {"images.front", "images.top", "commanded", "time_s"}
    assert seen.images["front"].shape == (2, 3, 16, 16, 3)
    assert np.allclose(seen.time_s, [[0.0, 0.2, 0.6]] * 2)
    full = episodes[1].observations.commanded
    assert np.array_equal(seen.commanded[1], full[[0, 1, 3]][:, [1, 0]])


def test_every_row_and_call_has_its_own_seed():
    spy, scenes = Spy(), fake_scenes(3)
    rollout(spy, FakeWorld(), scenes, keys(scenes), 9)
    seeds = [s for _, call in spy.seen for s in call]
    assert len(set(seeds)) == len(seeds) == 9


@pytest.mark.parametrize("policy", [RandomPolicy(), RememberingPolicy(), ReachPolicy(0.5), ScriptedPolicy(0.5)])
def test_rows_do_not_influence_each_other_and_seeds_decide(policy):
    scenes, world = fake_scenes(4), FakeWorld(noise=0.02)
    together = rollout(policy, world, scenes, keys(scenes), 23)
    again = rollout(policy, FakeWorld(noise=0.02), scenes[::-1], keys(scenes)[::-1], 23)[::-1]
    for row, scene in enumerate(scenes):
        same(together[row], again[row])
        same(together[row], rollout(policy, world, [scene], keys([scene]), 23)[0])
    other = rollout(policy, world, scenes, keys(scenes, replicate=1), 23)
    assert not np.array_equal(other[0].observations.measured, together[0].observations.measured)


def test_policies_share_the_worlds_noise():
    scenes = fake_scenes(1)
    a = rollout(ConstantPolicy(), FakeWorld(noise=0.05), scenes, keys(scenes, "a"), 8)[0]
    b = rollout(ConstantPolicy(), FakeWorld(noise=0.05), scenes, keys(scenes, "b"), 8)[0]
    assert np.array_equal(a.observations.measured, b.observations.measured)


def test_episodes_hold_all_frames_and_the_latched_success():
    scenes = fake_scenes(3)
    found = rollout(ReachPolicy(1.0), FakeWorld(), scenes, [0, 1, 2], 40)
    idle = rollout(ConstantPolicy(), FakeWorld(), scenes, [0, 1, 2], 40)
    assert all(e.n_steps == 40 and e.frame_steps.tolist() == list(range(0, 41, 2)) for e in found)
    assert all(e.success is True and 0 < e.success_time_s < 4 for e in found)
    assert all(e.success is False and e.success_time_s is None for e in idle)
    assert found[0].instruction == found[0].observations.instructions[0] == scenes[0].instruction
    assert found[0].provenance["source"] == "policy:reach"


def test_success_stays_when_the_dot_leaves_again():
    class ThenLeaves(ReachPolicy):
        def infer(self, observations, memory, seeds):
            chunk, _ = super().infer(observations, None, seeds)
            away = observations.time_s[:, -1] > 2
            chunk.values[away] = (-0.1, 0, 1)
            return chunk, None

    episode = rollout(ThenLeaves(), FakeWorld(), fake_scenes(1), [0], 60)[0]
    assert episode.success is True
    assert episode.observations.measured[-1, 0] < 0.1


def test_a_world_that_measures_nothing_leaves_success_open():
    episode = rollout(ReachPolicy(), FakeWorld(measures=False), fake_scenes(1), [0], 30)[0]
    assert episode.success is None
    assert episode.observations.measured is None


def test_mismatch_is_refused_before_the_first_step():
    with pytest.raises(SpecMismatch, match="object_poses"):
        rollout(ScriptedPolicy(), FakeWorld(measures=False), fake_scenes(1), [0], 5)


def test_actions_that_are_not_finite_are_an_error():
    with pytest.raises(ReverieError, match="not finite"):
        rollout(NaNPolicy(), FakeWorld(), fake_scenes(2), [0, 1], 5)


def test_memory_without_a_row_axis_is_an_error():
    class Hides(RememberingPolicy):
        def infer(self, observations, memory, seeds):
            return super().infer(observations, None, seeds)[0], {"table": np.zeros(7)}

    with pytest.raises(ReverieError, match=r"memory 'table' has shape \(7,\)"):
        rollout(Hides(), FakeWorld(), fake_scenes(2), [0, 1], 5)


def test_success_at_reset_is_an_error():
    scene = fake_scenes(1)[0]

    class Wrong(FakeWorld):
        def reset(self, scenes, seeds):
            first = super().reset(scenes, seeds)
            return replace(first, extras={**first.extras, "success": np.ones(len(seeds), dtype=bool)})

    with pytest.raises(ReverieError, match="already successful at reset"):
        rollout(ConstantPolicy(), Wrong(), [scene], [0], 5)


def test_a_row_that_a_foreign_world_ended_is_cut_there():
    class Ends(FakeWorld):
        def step(self, actions):
            t: Transition = super().step(actions)
            return replace(t, valid=np.stack([t.frame_steps <= 6, t.frame_steps <= 99]))

    short, whole = rollout(ConstantPolicy(), Ends(), fake_scenes(2), [0, 1], 12)
    assert (short.n_frames, short.n_steps) == (4, 6)
    assert (whole.n_frames, whole.n_steps) == (7, 12)


def test_an_event_gives_the_exact_time():
    class Tells(FakeWorld):
        def step(self, actions):
            events = ((Event("success", 0.3),),) if self._step == 0 else ((),)
            return replace(super().step(actions), events=events)

    assert rollout(ConstantPolicy(), Tells(), fake_scenes(1), [0], 8)[0].success_time_s == 0.3


def test_observations_are_copies_of_the_moment():
    scenes = fake_scenes(1)
    episode = rollout(ReachPolicy(), FakeWorld(), scenes, [0], 12)[0]
    frames: Observations = episode.observations
    assert len({frames.commanded[f].tobytes() for f in range(5)}) == 5
