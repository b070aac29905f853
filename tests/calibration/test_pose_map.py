"""A robot given as a file has a pose map once its cameras are calibrated: drawn where it is, and a video world trains on it."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.calibration.calibration import Calibration, Joints
from reverie.calibration.camera import FittedCamera
from reverie.calibration.robot_file import RobotFile
from reverie.collection import CollectConfig, collect
from reverie.core import ActionSpec, Episode, ReverieError
from reverie.data import open_cache, open_dataset, write_dataset
from reverie.data.calibration import write_calibration
from reverie.data.recorded import RecordedWorld, recorded_scenes
from reverie.embodiments import panda
from reverie.embodiments.drawing import PoseMap
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit_world import WorldTraining, fit_world
from reverie.world_model.checkpoint import load_world
from reverie.world_model.file_robot import FileRobot
from reverie.world_model.network import UNetConfig
from tests.calibration.arms import write_mjcf, write_urdf

NAMES = (*(f"q{i}" for i in range(1, 8)), "gripper")
ACTIONS = ActionSpec(NAMES, ("rad",) * 7 + ("1",), ("absolute",) * 8, "joint", "none", "closed0_open1", 10.0)


def joint_log(episode: Episode) -> Episode:
    """As arms log that are commanded by joints: pictures, joints, joint targets."""
    seen = episode.observations
    spec = replace(episode.observation_spec, commanded=(), measured=NAMES, extras=())
    measured = np.concatenate([seen.measured[:, 8:], seen.measured[:, 7:8]], axis=1)
    targets = seen.extras["joint_actions"][:-1].reshape(-1, 8)[: episode.n_steps]
    stripped = replace(seen, commanded=None, measured=measured, extras={})
    return replace(
        episode, observations=stripped, observation_spec=spec, actions=targets, action_spec=ACTIONS, scene=None
    )


def calibration_of(robot: RobotFile, link: str, cameras=panda.CAMERAS) -> Calibration:
    """As a perfect fit would give it."""
    fitted = [FittedCamera(c.name, c.intrinsics, c.pose_in_mount, link if c.mount == "tcp" else None) for c in cameras]
    columns = dict(zip(robot.chain(link), NAMES, strict=False))
    return Calibration(robot.xml, link, (0.0, 0.0, 0.0), Joints(columns), tuple(fitted), {})


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    played = open_dataset(collect(CollectConfig(2, mix="play", seconds=2, depth=False), folder / "played"))
    root = write_dataset(folder / "data", [joint_log(e) for e in played])
    robot = RobotFile.load(write_mjcf(folder / "arm.xml"))
    write_calibration(root, calibration_of(robot, "tcp"))
    return root, folder


@pytest.fixture(scope="module")
def states():
    spread = np.random.default_rng(0).uniform([-0.1, -0.2, -0.15, 0, 0, 0], [0.2, 0.2, 0.1, 0, 0, 0.5], (6, 6))
    found = panda.start(spread)
    found[:, 7] = 0.0
    return found


def drawn(robot: FileRobot, states):
    """Masks [B, V, H, W] of a file's robot and of the tabletop's own pose map, for the same joints, hand shut."""
    commands = np.concatenate([states[:, 8:], np.ones((len(states), 1))], axis=1)
    own, _ = robot.conditioner.draw(robot._state(commands).astype(np.float32))[::-1]
    truth = [np.isfinite(PoseMap().draw(s.astype(np.float32))[1]) for s in states]
    return own[:, :, 0].numpy() > 0.5, np.stack(truth)


def test_a_file_with_shapes_is_drawn_as_the_robot_is(logs, states):
    cache = open_cache(logs[0])
    robot = FileRobot(cache.calibration, cache.action_spec, cache.observation_spec)
    own, truth = drawn(robot, states)
    share = (own & truth).sum((0, 2, 3)) / (own | truth).sum((0, 2, 3))
    assert (share > 0.95).all(), share


def test_a_file_without_shapes_is_drawn_along_its_links(logs, states):
    root, folder = logs
    cache = open_cache(root)
    told = calibration_of(RobotFile.load(write_urdf(folder / "arm.urdf")), "tip")
    own, truth = drawn(FileRobot(told, cache.action_spec, cache.observation_spec), states)
    for view in range(3):
        assert own[:, view].sum() > 0.15 * truth[:, view].sum()
        assert (own & truth)[:, view].sum() > 0.6 * own[:, view].sum()


def test_states_begin_with_the_pose_of_the_tool(logs, states):
    cache = open_cache(logs[0])
    robot = FileRobot(cache.calibration, cache.action_spec, cache.observation_spec)
    commands = np.concatenate([states[:, 8:], np.full((6, 1), 0.25)], axis=1)
    found = robot._state(commands)
    np.testing.assert_allclose(panda.pose_of(found), panda.pose_of(states), atol=1e-4)
    assert found[:, 7].tolist() == [0.25] * 6
    moved = robot.integrate(found, (commands + 0.1).astype(np.float32))
    np.testing.assert_allclose(moved[:, 8:], commands + 0.1, atol=1e-6)
    np.testing.assert_allclose(robot.camera_matrices(found, None), panda.camera_matrices(states), atol=0.02, rtol=1e-3)


def test_a_video_world_trains_on_it_and_goes_on_alone(logs, tmp_path):
    cache = open_cache(logs[0])
    small = UNetConfig(channels=(8, 16, 16, 16), condition_dim=16, n_heads=2)
    trainer = TrainerConfig(
        samples=8, batch_size=2, precision="float32", state_every=0, validate_every=0, warmup_samples=2
    )
    fit_world(cache, tmp_path, WorldTraining(trainer, DreamingConfig(length=2), small), quiet=True)
    loaded = load_world(tmp_path)
    assert loaded.robot == "file"
    assert (loaded.model.config.calibrated, loaded.model.config.commands_at) == (True, 8)
    world = loaded.world(RecordedWorld(cache))
    first = world.reset(recorded_scenes(cache, [0]), [0])
    np.testing.assert_allclose(first.commanded[0, 8:], cache.frames["measured"][0], atol=1e-6)
    shown = world.step(np.array(cache.actions[None, :4])).observations
    np.testing.assert_allclose(shown.commanded[0, -1, 8:], cache.actions[3], atol=1e-6)
    assert np.isfinite(shown.extras["camera_matrices"]).all()
    assert shown.images["front"].shape == (1, 2, 64, 64, 3)


def test_what_has_no_pose_map_is_told_what_to_do(logs):
    cache = open_cache(logs[0])
    told, spec = cache.calibration, cache.observation_spec
    with pytest.raises(ReverieError, match=r"'wrist' is not calibrated.*--robot generic"):
        FileRobot(replace(told, cameras=told.cameras[:3]), cache.action_spec, spec)
    with pytest.raises(ReverieError, match=r"without the joints q1.*--robot generic"):
        FileRobot(told, panda.ACTION_SPEC, spec)
    with pytest.raises(ReverieError, match="nobody knows where the robot begins"):
        FileRobot(told, cache.action_spec, replace(spec, measured=()))
    with pytest.raises(ReverieError, match="reverie data calibrate"):
        fit_world(replace(cache, calibration=None), logs[1] / "out", WorldTraining(robot="file"), quiet=True)
    with pytest.raises(ReverieError, match="not calibrated as the first"):
        fit_world(cache, logs[1] / "out", WorldTraining(), more=[replace(cache, calibration=None)], quiet=True)
