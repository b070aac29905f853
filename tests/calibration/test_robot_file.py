"""Robots as files: both formats say where a link is, without meshes, and what is wrong is said by name."""

import numpy as np
import pytest

from reverie.calibration.robot_file import RobotFile
from reverie.core import ReverieError
from reverie.embodiments import panda
from reverie.embodiments.panda_kinematics import forward
from tests.calibration.arms import write_mjcf, write_urdf

CHAIN = tuple(f"joint{i}" for i in range(1, 8))


@pytest.fixture(scope="module")
def states():
    offsets = np.random.default_rng(0).uniform(-0.1, 0.1, (5, 6))
    return panda.start(offsets)


@pytest.mark.parametrize(("write", "link"), [(write_mjcf, "tcp"), (write_urdf, "tip")])
def test_kinematics_are_those_of_the_arm(tmp_path, states, write, link):
    robot = RobotFile.load(write(tmp_path / ("arm.urdf" if write is write_urdf else "arm.xml")))
    assert robot.chain(link) == CHAIN
    np.testing.assert_allclose(robot.poses(link, states[:, 8:]), forward(states[:, 8:]), atol=1e-6)
    again = RobotFile.from_xml(robot.xml, "stored")
    np.testing.assert_allclose(again.poses(link, states[:, 8:]), forward(states[:, 8:]), atol=1e-5)


def test_a_finger_moves_with_its_own_joint_too(tmp_path):
    robot = RobotFile.load(write_mjcf(tmp_path / "arm.xml"))
    assert robot.chain("left_finger") == (*CHAIN, "left_finger")
    assert robot.chain("base") == ()


def test_errors_name_the_file_and_what_there_is(tmp_path):
    robot = RobotFile.load(write_urdf(tmp_path / "arm.urdf"))
    with pytest.raises(ReverieError, match=r"'tcp'.*known: .*link7.*tip"):
        robot.chain("tcp")
    with pytest.raises(ReverieError, match="no such file"):
        RobotFile.load(tmp_path / "none.urdf")
    broken = tmp_path / "broken.urdf"
    broken.write_text("<robot><link/></robot>")
    with pytest.raises(ReverieError, match="found no robot"):
        RobotFile.load(broken)
    free = tmp_path / "free.xml"
    free.write_text(
        '<mujoco><worldbody><body name="b"><freejoint name="f"/><geom size="0.1"/></body></worldbody></mujoco>'
    )
    with pytest.raises(ReverieError, match="'f' neither turns"):
        RobotFile.load(free).chain("b")
