"""The expert goes on from wherever another policy got to, and only what it did is imitated."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.collection.behaviours import behaviour_named
from reverie.collection.taken_over import TakenOver
from reverie.core import Episode, ReverieError, TrialKey
from reverie.evaluation.loaders import nothing
from reverie.rollouts import rollout
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig
from reverie.training.fakes import fake_cache
from reverie.training.selection import rows_of

CLEAN = Script(ScriptConfig(noise_m=0.0, noise_rad=0.0, bump_probability=0.0))


def _episode(policy: TakenOver, n_steps: int) -> Episode:
    scene = draw_scene("put", "validation", 3)
    return rollout(policy, PhysicsWorld(), [scene], [TrialKey("p", "physics", scene.id)], n_steps)[0]


def test_begins_where_nothing_was_done() -> None:
    episode = _episode(TakenOver(nothing(""), 20, CLEAN), 90)
    assert not episode.actions[:20, :6].any()
    assert episode.success


def test_carries_on_with_what_is_held_and_leaves_what_is_done() -> None:
    whole = _episode(TakenOver(CLEAN, 80, CLEAN), 80)
    held, done = whole.observations.extras["held"].reshape(-1), whole.observations.extras["success"].reshape(-1)
    carried = 2 * (int(np.flatnonzero(held >= 0)[0]) + 3)
    episode = _episode(TakenOver(CLEAN, carried, CLEAN), 80)
    assert episode.success
    opened = np.flatnonzero(episode.actions[carried:, 6] > 0.5)
    assert len(opened)
    assert opened[0] > 5  # not at once: it was in the hand
    after = 2 * int(np.flatnonzero(done > 0)[0]) + 2
    rest = _episode(TakenOver(CLEAN, after, CLEAN), after + 10)
    assert not rest.actions[after:, :3].any()


def test_only_the_expert_is_imitated() -> None:
    cache = fake_cache(4)
    made = [replace(e, provenance={"source": "policy:weak", "expert_from": 6}) for e in cache.episodes]
    rows = rows_of(replace(cache, episodes=made), [0, 1], ("expert",), 1.0, 0.5)
    steps = cache.frame_steps[rows.frames]
    np.testing.assert_array_equal(rows.imitated, steps >= 6)
    np.testing.assert_array_equal(rows.weights, np.where(steps >= 6, 1.0, 0.5))


def test_says_what_it_expects() -> None:
    with pytest.raises(ReverieError, match="multiple of 2"):
        TakenOver(nothing(""), 3)
    with pytest.raises(ReverieError, match="expert_after:STEPS:FOLDER"):
        behaviour_named("expert_after:checkpoints/vla")
