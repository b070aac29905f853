"""The physics world: its contract, its scripts, its truth."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError, content_hash, seed_for
from reverie.core.contracts import check_world
from reverie.embodiments import panda
from reverie.embodiments.drawing import PoseMap
from reverie.rollouts import rollout
from reverie.scenes.tasks import BASIC, TASKS, draw_scene
from reverie.sim import PhysicsWorld, table_model
from reverie.sim.play import Play
from reverie.sim.script import VARIANTS, Script, ScriptConfig


def _scenes(task: str, n: int) -> list:
    return [draw_scene(task, "validation", i) for i in range(n)]


def test_the_world_keeps_the_contract() -> None:
    check_world(PhysicsWorld(), [draw_scene(task, "validation", 0) for task in TASKS], n_steps=6)


@pytest.mark.parametrize("task", BASIC)
def test_the_expert_solves_held_out_scenes(task: str) -> None:
    """12 scenes here; `make bench-physics` runs 200 a family."""
    scenes = _scenes(task, 12)
    seeds, n_steps = [seed_for(s.id) for s in scenes], scenes[0].n_steps(80)
    episodes = rollout(Script(ScriptConfig()), PhysicsWorld(), scenes, seeds, n_steps)
    assert sum(bool(e.success) for e in episodes) >= 11
    assert all(e.success_time_s is None or e.success_time_s >= 1.0 for e in episodes)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v not in ("expert", "drop", "wrong_order")])
def test_those_who_err_fail(variant: str) -> None:
    scenes = _scenes("put", 4)
    episodes = rollout(Script(ScriptConfig(variant=variant)), PhysicsWorld(), scenes, [0, 1, 2, 3], 80)
    assert sum(bool(e.success) for e in episodes) <= 1


def test_play_touches_things_and_uses_every_action_dimension() -> None:
    episodes = rollout(Play(), PhysicsWorld(), _scenes("put", 3), [0, 1, 2], 80)
    assert sum(e.name == "first_contact" for episode in episodes for e in episode.events) >= 3
    expert = rollout(Script(ScriptConfig()), PhysicsWorld(), _scenes("put", 2), [0, 1], 40)
    actions = np.concatenate([e.actions for e in expert])
    assert (actions.std(0) > 1e-3).all(), actions.std(0)


@pytest.mark.parametrize(("variant", "ends"), [("expert", "released"), ("drop", "dropped")])
def test_what_is_lifted_is_released_or_dropped(variant: str, ends: str) -> None:
    """The scenes hold a "corner", whose middle lies between the fingers, and things that go into a box from above."""
    scenes = [draw_scene(t, "train", i) for t, i in (("move_beside", 100), ("put", 103), ("put", 105), ("put", 3))]
    quiet = ScriptConfig(variant=variant, noise_m=0.0, noise_rad=0.0, bump_probability=0.0)
    for episode in rollout(Script(quiet), PhysicsWorld(), scenes, [0, 1, 2, 3], 60):
        assert episode.scene is not None
        found = [e for e in episode.events if e.name in ("lifted", "released", "dropped")]
        assert [e.name for e in found] == ["lifted", ends]
        assert {e.details["object"] for e in found} == {episode.scene.target}
        assert found[0].time_s < found[1].time_s


def test_fingerprints_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    makers = (PhysicsWorld, Play, lambda: Script(ScriptConfig()), lambda: Script(ScriptConfig(variant="late")))
    before = [make().fingerprint for make in makers]
    assert len(set(before)) == len(before)
    for module in ("world", "play", "script"):
        monkeypatch.setattr(f"reverie.sim.{module}.source_hash", lambda *names: "other code")
    assert not set(before) & {make().fingerprint for make in makers}


def test_doing_nothing_never_succeeds_and_moves_nothing() -> None:
    world = PhysicsWorld()
    first = world.reset(_scenes("put", 2), [0, 1])
    still = np.zeros((2, 20, 7), np.float32)
    still[:, :, 6] = 1
    last = world.step(still).observations[:, -1]
    assert not last.extras["success"].any()
    np.testing.assert_allclose(last.extras["object_poses"], first.extras["object_poses"], atol=2e-3)


def test_commanded_poses_are_tracked_within_millimetres() -> None:
    scenes = _scenes("put", 2)
    episodes = rollout(Script(ScriptConfig()), PhysicsWorld(), scenes, [0, 1], 12)
    for e in episodes:
        assert e.observations.commanded is not None
        assert e.observations.measured is not None
        error = np.linalg.norm(e.observations.commanded[:, :3] - e.observations.measured[:, :3], axis=1)
        assert error.max() < 0.008, error


def test_the_pose_map_is_where_physics_draws_the_robot() -> None:
    """Pixels of the pose map, drawn from the commanded state, show the same colours in the physics frame."""
    world = PhysicsWorld()
    frame = world.reset(_scenes("put", 1), [0])
    assert frame.commanded is not None
    drawn, depth = PoseMap().draw(frame.commanded[0])
    for i, camera in enumerate(("front", "side", "top")):
        inside = np.isfinite(depth[i])
        difference = np.abs(drawn[i].astype(int) - frame.images[camera][0].astype(int)).max(-1)[inside]
        assert (difference < 30).mean() > 0.85, (camera, (difference < 30).mean())


def test_depth_is_in_millimetres() -> None:
    frame = PhysicsWorld(depth=True).reset(_scenes("put", 1), [0])
    middle = frame.extras["depth.top"][0, 60, 5]
    assert 900 < middle < 1100, middle


def test_a_scene_that_is_already_solved_is_an_error() -> None:
    scene = draw_scene("put", "validation", 0)
    target, reference = scene.placement(scene.target), scene.placement(scene.reference)
    solved = replace(target, x=reference.x, y=reference.y)
    solved_scene = replace(scene, objects=tuple(solved if o.name == target.name else o for o in scene.objects))
    world = PhysicsWorld()
    with pytest.raises(ReverieError, match="already true at reset"):
        world.reset([solved_scene], [0])


def test_bad_actions_are_refused() -> None:
    world = PhysicsWorld()
    world.reset(_scenes("put", 1), [0])
    with pytest.raises(ReverieError, match="not finite"):
        world.step(np.full((1, 2, 7), np.nan, np.float32))
    with pytest.raises(ReverieError, match="expected"):
        world.step(np.zeros((2, 2, 7), np.float32))


def test_wrong_names_in_a_scene_are_refused() -> None:
    scene = draw_scene("put", "validation", 0)
    odd = replace(scene, objects=(replace(scene.objects[0], kind="cubes"), *scene.objects[1:]))
    with pytest.raises(ReverieError, match="did you mean 'cube'"):
        PhysicsWorld().reset([odd], [0])
    assert panda.ACTION_SPEC.action_dim == 7


def test_scenes_without_edits_are_written_as_ever() -> None:
    """Shipped checkpoints were trained in this world: whoever changes this hash changes their physics or their frames, and has
    to say so."""
    texts = [table_model.mjcf(s) for task in ("put", "move_beside") for s in _scenes(task, 10)]
    assert content_hash(texts) == "841090c32eb67acf"
