"""The pose map of a robot given as a file: drawn from its joints into its fitted cameras, as `embodiments.drawing` draws ours.

Shapes are the file's own primitives (boxes, capsules, ...), and fingers stay as the file has them. Meshes are not read: a link
without a primitive is a capsule to each of its children, so that at least the arm's course is drawn.
"""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from reverie.calibration.robot_file import RobotFile
from reverie.core.errors import ReverieError
from reverie.core.rotations import matrix_to_quat
from reverie.embodiments.cameras import Camera
from reverie.embodiments.drawing import Drawer
from reverie.embodiments.panda_model import HEADLIGHT

RADIUS_M, SHORTEST_M = 0.03, 0.02
COLOURS = ((0.93, 0.93, 0.95, 1.0), (0.25, 0.26, 0.3, 1.0))
SIDE = 640
"""Of the drawing buffer, in which all cameras lie side by side."""


class FilePoseMap:
    """cameras: where they stand, or ride on `link`; joints: of `chain(link)`, their places in a state, which has radians, or
    degrees."""

    def __init__(
        self, robot: RobotFile, link: str, cameras: Sequence[Camera], joints: Sequence[int], degrees: bool
    ) -> None:
        height, width = cameras[0].height, cameras[0].width
        if len(cameras) * width > SIDE or height > SIDE:
            raise ReverieError(
                f"{len(cameras)} cameras of {height} x {width} do not fit into a drawing of {SIDE} x {SIDE}: resize the frames"
            )
        self._model = _drawn(robot, link, cameras)
        self._data = mujoco.MjData(self._model)
        self._address = [int(self._model.joint(name).qposadr[0]) for name in robot.chain(link)]
        self._joints, self._degrees = list(joints), degrees
        self._drawer = Drawer(self._model, tuple(c.name for c in cameras), (height, width))

    def draw(
        self, commanded: NDArray[np.float32], cameras: Sequence[Camera] = ()
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """State [D] -> robot images [cameras, H, W, 3] (black elsewhere) and depth [cameras, H, W] in metres, inf elsewhere.
        These cameras were never moved: what is told of them is not looked at."""
        values = commanded[self._joints].astype(np.float64)
        self._data.qpos[self._address] = np.deg2rad(values) if self._degrees else values
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        rgb, depth = self._drawer.draw(self._data)
        return rgb, np.where(depth > 5.0, np.float32(np.inf), depth)


def _drawn(robot: RobotFile, link: str, cameras: Sequence[Camera]) -> mujoco.MjModel:
    spec = mujoco.MjSpec.from_string(robot.xml)
    for part in (*spec.cameras, *spec.lights):
        spec.delete(part)
    spec.stat.extent, spec.stat.center = 1.0, [0.0, 0.0, 0.0]
    spec.visual.map.znear, spec.visual.map.zfar = 0.01, 20.0
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.45] * 3, [0.35] * 3
    spec.visual.headlight.specular = [0.0] * 3
    bare = [body for body in spec.bodies if body.name != "world" and not body.geoms]
    for i, body in enumerate(bare):
        _stick(body, COLOURS[i % 2], is_end=not body.bodies and body.parent in bare)
    for camera in (*cameras, Camera(HEADLIGHT, (1.0, 0.0, 1.0), (0.0, 0.0, 0.3), (0, 0, 1), 0.7)):
        _stand(spec.worldbody if camera.mount == "base" else _carrier(spec, link), camera)
    return spec.compile()


def _carrier(spec: Any, link: str) -> Any:
    """The body of a link; a site's own body would turn a camera otherwise, so it must be a body."""
    body = spec.body(link)
    if body is None:
        raise ReverieError(
            f"link {link!r} is a site: a camera that rides on it cannot be drawn; calibrate with its body as --link"
        )
    return body


def _stand(body: Any, camera: Camera) -> None:
    pose = camera.pose_in_mount
    quat = matrix_to_quat(pose[:3, :3] @ np.diag([1.0, -1.0, -1.0]))  # MuJoCo cameras look along -z with y up
    body.add_camera(name=camera.name, pos=pose[:3, 3], quat=quat, fovy=float(np.degrees(camera.fovy_rad)))


def _stick(body: Any, colour: tuple[float, ...], is_end: bool) -> None:
    ends = [np.array(child.pos) for child in body.bodies]
    for end in (e for e in ends if np.linalg.norm(e) > SHORTEST_M):
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=[0, 0, 0, *end], size=[RADIUS_M, 0, 0], rgba=list(colour)
        )
    if is_end:
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[RADIUS_M, 0, 0], rgba=list(colour))
