"""Both directions pass gymnasium's own checker, and there and back is the same world."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from reverie.core import ReverieError, Scene
from reverie.core.contracts import check_world
from reverie.core.fakes import ACTION_SPEC, FakeWorld, ReachPolicy, fake_scenes
from reverie.rollouts import as_gymnasium, from_gymnasium, rollout


@pytest.mark.filterwarnings("ignore::UserWarning:gymnasium")
def test_a_world_passes_gymnasiums_checker():
    check_env(as_gymnasium(FakeWorld(noise=0.01), fake_scenes(3), 20), skip_render_check=True)
    check_env(as_gymnasium(FakeWorld(measures=False), fake_scenes(1), 20), skip_render_check=True)


def test_success_rewards_once_and_ends():
    scene = fake_scenes(2)[1]
    env = as_gymnasium(FakeWorld(), fake_scenes(2), 50)
    seen, info = env.reset(seed=3, options={"scene": scene.id})
    assert info["scene"] == scene.id
    assert seen["instruction"] == scene.instruction
    rewards, ended = [], False
    while not ended:
        towards = np.array([scene.placement("goal").x, scene.placement("goal").y]) - seen["commanded"][:2]
        seen, reward, ended, truncated, info = env.step(np.array([*np.clip(towards, -0.1, 0.1), 1], np.float32))
        rewards.append(reward)
        assert not truncated
    assert sum(rewards) == 1.0
    assert info["is_success"]
    with pytest.raises(ReverieError, match="unknown scene"):
        env.reset(options={"scene": "nowhere"})


def test_there_and_back_is_the_same_world():
    scenes = fake_scenes(2)
    world = from_gymnasium(
        lambda: as_gymnasium(FakeWorld(noise=0.02), scenes, 1000),
        name="fake",
        action_spec=ACTION_SPEC,
        frame_every=2,
        success_key="is_success",
        reset_options=lambda scene: {"scene": scene.id},
    )
    check_world(world, scenes, n_steps=8)
    policy = ReachPolicy(0.8)
    policy.observation_spec = world.observation_spec.__class__(
        policy.observation_spec.cameras, world.observation_spec.commanded, frame_every=2
    )
    back = rollout(policy, world, scenes, [11, 12], 40)
    direct = rollout(ReachPolicy(0.8), FakeWorld(noise=0.02), scenes, [11, 12], 40)
    for a, b in zip(back, direct, strict=True):
        n = a.n_frames  # this world ends at success
        assert a.success == b.success
        assert np.array_equal(a.observations.images["front"], b.observations.images["front"][:n])
        assert np.array_equal(a.observations.commanded, b.observations.commanded[:n])


def test_a_stock_environment_is_a_world():
    scenes = [Scene(id=f"pendulum/{i}", task="swing_up", instruction="swing up") for i in range(2)]
    world = from_gymnasium(lambda: gymnasium.make("Pendulum-v1"))
    assert world.name == "Pendulum-v1"
    assert world.observation_spec.measured == ("state[0]", "state[1]", "state[2]")
    check_world(world, scenes)


def test_discrete_actions_are_refused():
    with pytest.raises(ReverieError, match="Discrete"):
        from_gymnasium(lambda: gymnasium.make("CartPole-v1"))
