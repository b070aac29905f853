"""Edits as the worlds show them: which pixels, poses, calibrations and words differ from the clean scene, and which do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from visible import CAMERAS, drawn, pixels_of

from reverie.core import Observations, ReverieError, Scene
from reverie.edits import AXES, edited
from reverie.embodiments import panda
from reverie.embodiments.drawing import PoseMap
from reverie.rollouts import Recorded, rollout
from reverie.rollouts.noisy import noisy
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld, table_model
from reverie.world_model.model import TileModel, TileModelConfig
from reverie.world_model.network import UNetConfig
from reverie.world_model.robots import PandaRobot
from reverie.world_model.world import VideoWorld

SCENES = [draw_scene(task, "validation", i) for i in range(4) for task in ("put", "move_beside")]
STANDING = [CAMERAS.index(c.name) for c in panda.CAMERAS if c.mount == "base"]
WRIST = CAMERAS.index("wrist")


def under(scene: Scene, axis: str, level: str) -> Scene:
    found = edited(scene, axis, level)
    assert found is not None
    return found


def changed(before: Scene, after: Scene) -> np.ndarray:
    """[cameras, H, W]"""
    return (drawn(before)[0] != drawn(after)[0]).any(-1)


def begun(*scenes: Scene) -> Observations:
    return PhysicsWorld(depth=True).reset(scenes, [7] * len(scenes))


def alike(first: Observations, but: tuple[str, ...]) -> None:
    """Rows 0 and 1 hold the same arrays, but for those whose name begins with one of `but`, and the same words."""
    for name, values in first.arrays().items():
        if not name.startswith(but):
            np.testing.assert_array_equal(values[0], values[1], err_msg=name)
    assert first.instructions[0] == first.instructions[1]


@pytest.mark.parametrize("color", ["red", "green", "blue"])
def test_a_cloth_changes_pixels_of_the_table_only(color: str) -> None:
    for scene in SCENES[:3]:
        after = under(scene, "background", color)
        table = pixels_of(scene, "table")
        np.testing.assert_array_equal(changed(scene, after), table)
        assert table[STANDING].mean() > 0.5
        alike(begun(scene, after), but=("images.",))


@pytest.mark.parametrize(("axis", "level"), [("distractors_small", "three"), ("distractors_large", "two")])
def test_plushies_hide_neither_target_nor_reference(axis: str, level: str) -> None:
    for scene in SCENES:
        after = under(scene, axis, level)
        plushies = pixels_of(after, *(f"distractor_{i}" for i in range(len(after.distractors))))
        assert not (changed(scene, after) & ~plushies).any()
        assert plushies[STANDING].any((1, 2)).sum() >= 2
        for name in (scene.target, scene.reference):
            clean, edit = (pixels_of(s, name)[STANDING].sum((1, 2)) for s in (scene, after))
            assert (edit >= 0.95 * clean).all(), (scene.id, name, clean, edit)
        first = begun(scene, after)
        np.testing.assert_allclose(*first.extras["object_poses"], atol=1e-4)
        np.testing.assert_array_equal(*first.extras["camera_matrices"])
        assert first.instructions[0] == first.instructions[1]


@pytest.mark.parametrize(("axis", "level"), [("novel_object", "both"), ("object_position", "far")])
def test_only_the_target_looks_otherwise(axis: str, level: str) -> None:
    """Or what it hid before, or hides now."""
    for scene in SCENES[:4]:
        after = under(scene, axis, level)
        assert not (changed(scene, after) & ~pixels_of(scene, scene.target) & ~pixels_of(after, scene.target)).any()
        others = [i for i, o in enumerate(scene.objects) if o.name != scene.target]
        first = begun(scene, after)
        np.testing.assert_allclose(*first.extras["object_poses"][:, others], atol=1e-5)
        np.testing.assert_array_equal(*first.commanded)
        np.testing.assert_array_equal(*first.extras["camera_matrices"])


@pytest.mark.parametrize("level", list(AXES["light"].levels))
def test_light_moves_nothing(level: str) -> None:
    scene, after = SCENES[0], under(SCENES[0], "light", level)
    assert changed(scene, after).mean() > 0.5
    np.testing.assert_array_equal(drawn(scene)[1], drawn(after)[1])
    alike(begun(scene, after), but=("images.",))


def test_moved_cameras_move_nothing_else() -> None:
    for scene in SCENES[:3]:
        told, untold = (under(scene, axis, "far") for axis in ("camera_pose", "camera_pose_old"))
        alike(begun(scene, told), but=("images.", "extras.depth.", "extras.camera_matrices"))
        differs = changed(scene, told)
        assert differs[STANDING].any((1, 2)).all()
        assert not differs[WRIST].any()
        np.testing.assert_array_equal(drawn(told)[0], drawn(untold)[0])
        clean, new, old = begun(scene, told, untold).extras["camera_matrices"]
        np.testing.assert_array_equal(clean, old)
        np.testing.assert_array_equal(clean[WRIST], new[WRIST])
        assert all(not np.allclose(clean[i], new[i]) for i in STANDING)


def test_another_start_moves_the_hand_alone() -> None:
    first = begun(SCENES[0], under(SCENES[0], "robot_start", "far"))
    np.testing.assert_allclose(*first.extras["object_poses"], atol=1e-5)
    assert not np.allclose(*first.commanded)


def test_hidden_changes_are_in_no_frame_but_in_the_physics() -> None:
    scene = SCENES[0]
    clean = table_model.build(scene)
    for axis, level in (("mass", "very_heavy"), ("friction", "very_slippery")):
        after = under(scene, axis, level)
        assert not changed(scene, after).any()
        model = table_model.build(after)
        thing = model.body(scene.target).id
        assert model.body_mass[thing] == pytest.approx(clean.body_mass[thing] * after.hidden.get("mass", 1))
        np.testing.assert_allclose(model.geom_friction, clean.geom_friction * after.hidden.get("friction", 1))
        assert model.body_mass[model.body("hand").id] == clean.body_mass[model.body("hand").id]


def test_noise_is_on_every_camera_and_in_its_row_only() -> None:
    scene, after = SCENES[0], under(SCENES[0], "sensor_noise", "medium")
    clean = PhysicsWorld().reset([scene, scene], [3, 3])
    for _ in range(2):
        seen = noisy(PhysicsWorld(), [scene, after]).reset([scene, after], [3, 3])
        for camera, images in seen.images.items():
            np.testing.assert_array_equal(images[0], clean.images[camera][0])
            middling = (clean.images[camera][1] > 60) & (clean.images[camera][1] < 190)
            added = images[1][middling].astype(float) - clean.images[camera][1][middling]
            assert 11 < added.std() < 13, camera
            assert abs(added.mean()) < 1
    assert not np.array_equal(seen.images["front"][1] - clean.images["front"][1], seen.images["top"][1] - clean.images["top"][1])  # fmt: skip


def test_noise_is_that_of_the_step_however_many_are_taken_at_once() -> None:
    after = under(SCENES[0], "sensor_noise", "strong")
    still = np.zeros((1, 8, 7), np.float32)
    still[..., 6] = 1
    episodes = [rollout(Recorded(still, panda.ACTION_SPEC, 2, n), PhysicsWorld(), [after], [0], 8)[0] for n in (2, 8)]
    a, b = (e.observations.images["wrist"] for e in episodes)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a[1], a[2])


def _dream() -> VideoWorld:
    torch.manual_seed(0)
    small = TileModelConfig(unet=UNetConfig(channels=(8, 16, 16, 16), condition_dim=16, n_heads=2))
    return VideoWorld(TileModel(small), PandaRobot(), PhysicsWorld(), "random")


def test_the_video_world_starts_from_the_edited_frame_with_the_calibration_it_is_told() -> None:
    scene = SCENES[1]
    told, untold = (under(scene, axis, "far") for axis in ("camera_pose", "camera_pose_old"))
    world = _dream()
    first = world.reset([scene, told, untold], [3, 3, 3])
    real = PhysicsWorld().reset([scene, told, untold], [3, 3, 3])
    for camera in first.images:
        np.testing.assert_array_equal(first.images[camera], real.images[camera])
    clean, new, old = first.extras["camera_matrices"]
    np.testing.assert_array_equal(clean, old)
    assert not np.allclose(clean, new)
    frames = world._frames
    conditioning = world._robot.condition(frames, frames.states)
    assert conditioning is not None
    np.testing.assert_array_equal(conditioning.robot[0].numpy(), conditioning.robot[2].numpy())
    drawn_new = PoseMap().draw(frames.states[1], panda.cameras_of(told.look))[0].transpose(0, 3, 1, 2) / np.float32(255)
    np.testing.assert_allclose(conditioning.robot[1].numpy(), drawn_new, atol=1e-6)
    alone = _dream()
    alone.reset([scene], [3])
    expected = alone._robot.condition(alone._frames, alone._frames.states)
    assert expected is not None
    torch.testing.assert_close(conditioning.moved[0], expected.moved[0])
    world.step(np.zeros((3, 2, 7), np.float32))


def test_the_pose_map_lies_on_the_robot_where_the_calibration_is_right() -> None:
    told = under(SCENES[0], "camera_pose", "far")
    first = begun(told)
    assert first.commanded is not None
    shares = {}
    for name, rig in (("new", panda.cameras_of(told.look)), ("old", panda.CAMERAS)):
        rgb, depth = PoseMap().draw(first.commanded[0], rig)
        on = np.isfinite(depth[0])
        off = np.abs(rgb[0].astype(int) - first.images["front"][0].astype(int)).max(-1)
        shares[name] = (off[on] < 30).mean()
    assert shares["new"] > 0.9 > 0.7 > shares["old"]


def test_a_video_world_cannot_be_asked_about_what_no_image_shows() -> None:
    with pytest.raises(ReverieError, match="changes mass, which no image shows"):
        _dream().reset([under(SCENES[0], "mass", "heavy")], [0])


def test_names_in_no_table_are_refused() -> None:
    scene = SCENES[0]
    for change, words in (
        ({"look": {"table": "red_clth"}}, "did you mean 'red_cloth'"),
        ({"look": {"light": "drk"}}, "did you mean 'dark'"),
        ({"look": {"cameras": {"frnt": (0, 0, 0)}}}, "did you mean 'front'"),
        ({"hidden": {"masss": 2.0}}, "did you mean 'mass'"),
        ({"hidden": {"mass": 0.0}}, "must be > 0"),
    ):
        with pytest.raises(ReverieError, match=words):
            PhysicsWorld().reset([replace(scene, **change)], [0])
