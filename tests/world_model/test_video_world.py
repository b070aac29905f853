"""The video world: geometry against known motion, the network's tiles, and the contract of a world, on random weights."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from reverie.checkpoints import save
from reverie.core import ReverieError
from reverie.core.contracts import check_world
from reverie.embodiments import panda
from reverie.embodiments.cameras import project
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.training.dreaming import grasp_frames
from reverie.world_model.checkpoint import load_world, world_checkpoint
from reverie.world_model.conditioning import Frames
from reverie.world_model.geometry import carried_homography, plane_homography, warp
from reverie.world_model.model import CANDIDATES, TileModel, TileModelConfig
from reverie.world_model.network import UNetConfig, from_tile, to_tile
from reverie.world_model.robots import PandaRobot
from reverie.world_model.world import VideoWorld

SMALL = TileModelConfig(unet=UNetConfig(channels=(8, 16, 16, 16), condition_dim=16, n_heads=2))


def _world(name: str = "video") -> VideoWorld:
    torch.manual_seed(0)
    return VideoWorld(TileModel(SMALL), PandaRobot(), PhysicsWorld(), "random", name)


@pytest.mark.parametrize("n_views", [1, 2, 3, 4])
def test_tiles_and_back(n_views: int) -> None:
    views = torch.rand(2, n_views, 5, 16, 32)
    tile = to_tile(views)
    assert tile.shape[1] == 20
    assert torch.equal(from_tile(tile, n_views), views)


def test_a_carried_point_is_found_where_it_was() -> None:
    """A point fixed to the hand, at the depth of the TCP, projects through the homography exactly."""
    source = panda.start([[0.02, 0.03, -0.1, 0, 0, 0.1]])
    new = source.copy()
    new[:, :3] += [0.03, -0.02, 0.04]
    camera = panda.CAMERAS[0]
    pixel_new, _ = project(panda.camera_matrices(new)[0, 0].astype(float), new[0, :3])
    pixel_old, _ = project(panda.camera_matrices(source)[0, 0].astype(float), source[0, :3])
    found = carried_homography(camera, new, source)[0] @ [*pixel_new, 1]
    np.testing.assert_allclose(found[:2] / found[2], pixel_old, atol=1e-3)


def test_a_point_on_the_table_is_found_from_the_moving_camera() -> None:
    source, new = panda.start([[0.0] * 6]), panda.start([[0.05, -0.03, -0.08, 0, 0, 0.2]])
    wrist = next(c for c in panda.CAMERAS if c.mount == "tcp")
    index = panda.CAMERAS.index(wrist)
    spot = np.array([0.45, 0.02, 0.015])
    pixel_new, _ = project(panda.camera_matrices(new)[0, index].astype(float), spot)
    pixel_old, _ = project(panda.camera_matrices(source)[0, index].astype(float), spot)
    found = plane_homography(wrist, new, wrist, source, 0.015)[0] @ [*pixel_new, 1]
    np.testing.assert_allclose(found[:2] / found[2], pixel_old, atol=1e-3)


def test_warping_by_the_identity_changes_nothing() -> None:
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(warp(images, np.broadcast_to(np.eye(3), (2, 3, 3))), images, atol=1e-4, rtol=0)


def test_training_starts_with_what_dreaming_would_remember() -> None:
    """Closing is remembered while the hand is closed and after it opened, until it closes anew."""
    openings = np.array([1, 0.4, 0, 0, 0.7, 1, 1, 0.3, 0, 1, 1, 0.2, 0.2], np.float32)
    offsets = np.array([0, 10, 13])
    states = np.repeat(panda.start([[0.0] * 6]).astype(np.float32), len(openings), axis=0)
    states[:, 7], states[:, 0] = openings, np.arange(len(openings))
    grasp, held = grasp_frames(states, offsets, calibrated=True)
    assert grasp.tolist() == [0, 1, 1, 1, 1, 1, 1, 7, 7, 7, 10, 11, 11]
    assert held.tolist() == [0, 1, 2, 3, 3, 3, 3, 7, 8, 8, 10, 11, 12]
    picture = torch.zeros(1, 1, 3, 4, 4)
    for start, stop in pairwise(offsets):
        frames = Frames.begin(picture, states[start : start + 1])
        for f in range(start, stop):
            if f > start:
                frames = frames.push(picture, states[f : f + 1])
            assert (frames.grasp_states[0, 0], frames.held_states[0, 0]) == (grasp[f], held[f])


def test_the_world_keeps_the_contract() -> None:
    """Convolutions of one row and of two round differently. A trained network has few ties between candidates, a random one
    has many: here it always paints."""
    world = _world()
    with torch.no_grad():
        paint = CANDIDATES.index("paint")
        world._model.unet.out.bias[4 * paint : 4 * (paint + 1)] += 10
    scenes = [draw_scene("put", "validation", 0), draw_scene("move_beside", "validation", 0)]
    check_world(world, scenes, n_steps=6, atol=0.01)


def test_it_starts_from_the_physics_frame_and_measures_nothing() -> None:
    scene = draw_scene("put", "validation", 1)
    first, real = _world().reset([scene], [3]), PhysicsWorld().reset([scene], [3])
    for camera in first.images:
        np.testing.assert_array_equal(first.images[camera], real.images[camera])
    np.testing.assert_array_equal(first.commanded, real.commanded)
    assert first.measured is None
    assert "success" not in first.extras
    assert "object_poses" not in first.extras


def test_commanded_states_are_those_of_physics() -> None:
    """Both worlds integrate commands alike: the commanded state is exact everywhere."""
    scene = draw_scene("put", "validation", 1)
    actions = np.random.default_rng(0).normal(0, 0.02, (1, 6, 7)).astype(np.float32)
    states = []
    for world in (_world(), PhysicsWorld()):
        world.reset([scene], [3])
        states.append(world.step(actions).observations.commanded)
    np.testing.assert_allclose(states[0], states[1], atol=1e-6)


def test_a_checkpoint_survives_and_a_damaged_one_is_refused(tmp_path) -> None:
    model = _world()._model
    spec = PhysicsWorld().observation_spec
    save(tmp_path / "world", world_checkpoint(model, model.state_dict(), "panda", (spec, panda.ACTION_SPEC), {}))
    loaded = load_world(tmp_path / "world")
    for name, value in model.state_dict().items():
        torch.testing.assert_close(loaded.model.state_dict()[name], value)
    weights = tmp_path / "world" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(ReverieError, match="truncated"):
        load_world(tmp_path / "world")
    with pytest.raises(ReverieError, match="no checkpoint at"):
        load_world(tmp_path / "nowhere")


def test_a_world_of_other_cameras_is_refused() -> None:
    torch.manual_seed(0)
    other = TileModel(TileModelConfig(n_views=3, height=32, width=32, unet=SMALL.unet))
    with pytest.raises(ReverieError, match="trained for other data"):
        VideoWorld(other, PandaRobot(), PhysicsWorld(), "random")
