"""Physics of the families that came later: their scripts, the order of goals, and that older scenes know nothing of them."""

import numpy as np
import pytest

from reverie.collection.labelled import Labelled
from reverie.core import content_hash, seed_for
from reverie.evaluation.loaders import nothing
from reverie.rollouts import Recorded, rollout
from reverie.scenes.tasks import BASIC, FAMILIES, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.play import Play
from reverie.sim.script import Script, ScriptConfig
from reverie.sim.table_model import build, mjcf

LATER = [f for f in FAMILIES if f not in BASIC]
CLEAN = ScriptConfig(noise_m=0.0, noise_rad=0.0, bump_probability=0.0)


def scenes_of(family, n, first=0):
    return [draw_scene(family, "validation", first + i) for i in range(n)]


def acted(policy, scenes):
    return rollout(policy, PhysicsWorld(), scenes, [seed_for(s.id) for s in scenes], scenes[0].n_steps(80))


@pytest.mark.slow
@pytest.mark.parametrize("family", LATER)
def test_the_expert_solves_held_out_scenes(family) -> None:
    """6 scenes here; `make bench-experts` runs 200 a family."""
    assert sum(bool(e.success) for e in acted(Script(ScriptConfig()), scenes_of(family, 6))) >= 5


@pytest.mark.parametrize(
    ("family", "variant"),
    [*(("close_laptop", v) for v in ("near_miss", "wrong_object", "missed_grasp")), ("stack", "near_miss")],
)
def test_those_who_err_fail(family, variant) -> None:
    episodes = acted(Script(ScriptConfig(variant=variant)), scenes_of(family, 2))
    assert not any(e.success for e in episodes)
    progress = [float(e.observations.extras["progress"].max()) for e in episodes]
    assert variant != "near_miss" or min(progress) > 0.5


def test_both_goals_in_their_order_and_no_other_way() -> None:
    """The same things end at the same places: only the order differs."""
    scenes = scenes_of("a_then_b", 1, 2)
    (right,), (wrong,) = (acted(Script(ScriptConfig(variant=v)), scenes) for v in ("expert", "wrong_order"))
    assert right.success
    assert not wrong.success
    assert [e.details["goal"] for e in right.events if e.name == "reached"] == [0, 1]
    assert "out_of_order" in [e.name for e in wrong.events]
    turns = right.observations.extras["goal"]
    assert {tuple(t) for t in turns.tolist()} == {tuple(g[:2]) for g in right.observations.extras["goals"][0].tolist()}
    assert (np.diff(right.observations.extras["progress"]) >= 0).all()


def test_open_loop_plans_both_goals_at_the_start() -> None:
    scenes = scenes_of("a_then_b", 1, 2)
    script = Script(ScriptConfig(retry=False, noise_m=0.0, noise_rad=0.0, bump_probability=0.0))
    assert acted(script, scenes)[0].success
    assert "object_poses" not in script.observation_spec.extras


@pytest.mark.parametrize("family", ["close_laptop", "a_then_b"])
def test_the_expert_says_at_every_look_how_to_go_on(family) -> None:
    """Without memory it succeeds as well: where others got to, it finds the goal and the phase again."""

    class Forgetful(Labelled):
        def infer(self, observations, memory, seeds):
            chunk, _ = super().infer(observations, memory, seeds)
            return type(chunk)(chunk.intended[:, :4], chunk.spec, chunk.intended), None

    assert acted(Forgetful(nothing(""), Script(ScriptConfig(intention=4))), scenes_of(family, 1, 2))[0].success


def test_families_share_a_batch_and_play_touches_their_things() -> None:
    scenes = [draw_scene(f, "validation", 0) for f in FAMILIES]
    world = PhysicsWorld()
    first = world.reset(scenes, list(range(len(scenes))))
    assert first.extras["goals"].shape == (len(scenes), 2, 3)
    assert (first.extras["goals"][:, 1, 0] >= 0).tolist() == [f == "a_then_b" for f in FAMILIES]
    played = rollout(Play(), PhysicsWorld(), scenes_of("close_laptop", 2), [0, 1], 80)
    assert any(e.name == "first_contact" for episode in played for e in episode.events)


def test_lids_stay_where_they_are_left() -> None:
    scenes = scenes_of("close_laptop", 1)
    episode = acted(
        Recorded(np.tile(np.float32([0, 0, 0, 0, 0, 0, 1]), (1, 60, 1)), Script(CLEAN).action_spec, 2), scenes
    )[0]
    assert not episode.success
    assert float(episode.observations.extras["progress"].max()) < 0.05


def test_older_scenes_know_nothing_of_lids() -> None:
    """The whole model as text: the same as before there were other families, so frames and physics are the same."""
    scenes = [draw_scene(t, s, i) for t in BASIC for s in ("train", "validation", "test") for i in range(5)]
    assert content_hash([mjcf(s) for s in scenes]) == "a53d9f6d5a5dba87"
    assert all("_lid" not in mjcf(s) for s in scenes)
    laptops = build(draw_scene("close_laptop", "validation", 0))
    assert sum(laptops.joint(i).name.endswith("_lid") for i in range(laptops.njnt)) == 2
