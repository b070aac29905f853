"""Offscreen drawing with MuJoCo, and the pose map: the robot alone, drawn from commanded poses into each camera.

One graphics context serves every model of a process: our models have neither meshes nor textures, so the context holds
the primitive shapes only. Shadows, reflections and multisampling are off. The renderer is chosen by platform (EGL on
Linux unless MUJOCO_GL says otherwise) and recorded in receipts.
"""

import atexit
import os
import sys
from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.rotations import matrix_to_quat
from reverie.embodiments import panda, panda_model
from reverie.embodiments.cameras import Camera

_MAX_GEOMS = 400


@cache
def graphics() -> "tuple[mujoco.GLContext, mujoco.MjrContext]":
    """The process's graphics context. Raises ReverieError where no offscreen renderer is installed."""
    try:
        context = _context_class()(640, 640)
        context.make_current()
        atexit.register(context.free)  # before the interpreter takes EGL's bindings down
    except Exception as error:
        raise ReverieError(
            f"cannot open an offscreen renderer (MUJOCO_GL={os.environ.get('MUJOCO_GL', 'unset')}): {error}. "
            "On Debian or Ubuntu: apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"
        ) from error
    resources = mujoco.MjrContext(_robot_only(), mujoco.mjtFontScale.mjFONTSCALE_100)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, resources)
    return context, resources


def _context_class() -> Any:
    """EGL on Linux, whatever was imported first; elsewhere, or where MUJOCO_GL says so, MuJoCo's own choice."""
    if sys.platform == "linux" and os.environ.get("MUJOCO_GL", "egl") == "egl":
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        from mujoco.egl import GLContext

        return GLContext
    return mujoco.GLContext


class Drawer:
    """Draws one model's cameras; every camera of a frame is drawn into one buffer and read back once."""

    def __init__(self, model: mujoco.MjModel, cameras: tuple[str, ...], size: tuple[int, int]) -> None:
        self._model, self._size = model, size
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._option = mujoco.MjvOption()
        self._option.flags[:] = 0
        self._option.flags[mujoco.mjtVisFlag.mjVIS_STATIC] = 1
        self._option.sitegroup[:] = 0
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_HAZE):
            self._scene.flags[flag] = 0
        self._views = [_view(model, name) for name in cameras]
        self._lamp = _view(model, panda_model.HEADLIGHT)  # stays where it is when a camera is moved

    def draw(self, data: mujoco.MjData) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Images [cameras, H, W, 3] and depth in metres [cameras, H, W] (the far plane where nothing is)."""
        _, resources = graphics()
        height, width = self._size
        n = len(self._views)
        perturb = mujoco.MjvPerturb()
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, perturb, self._lamp, everything, self._scene)
        for i, view in enumerate(self._views):
            mujoco.mjv_updateCamera(self._model, data, view, self._scene)
            mujoco.mjr_render(mujoco.MjrRect(i * width, 0, width, height), self._scene, resources)
        rgb = np.empty((height, n * width, 3), np.uint8)
        depth = np.empty((height, n * width), np.float32)
        mujoco.mjr_readPixels(rgb, depth, mujoco.MjrRect(0, 0, n * width, height), resources)
        views = rgb[::-1].reshape(height, n, width, 3).transpose(1, 0, 2, 3)
        return np.ascontiguousarray(views), self._metres(depth[::-1].reshape(height, n, width).transpose(1, 0, 2))

    def _metres(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        near = self._model.vis.map.znear * self._model.stat.extent
        far = self._model.vis.map.zfar * self._model.stat.extent
        return np.asarray(near / (1 - depth * (1 - near / far)), np.float32)


def _view(model: mujoco.MjModel, name: str) -> mujoco.MjvCamera:
    view = mujoco.MjvCamera()
    view.type = mujoco.mjtCamera.mjCAMERA_FIXED
    view.fixedcamid = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, name)
    return view


@cache
def _robot_only() -> mujoco.MjModel:
    """The robot in a void; `statistic` equals the physics model's, so that near and far planes agree."""
    return mujoco.MjModel.from_xml_string(f"""
<mujoco model="pose_map">
  <compiler angle="degree" autolimits="true"/>{panda_model.VISUAL}
  <statistic extent="1" center="0.4 0 0.2"/>
  <default>{panda_model.DEFAULTS}</default>
  <worldbody>{panda_model.LIGHT}{panda_model.fixed_cameras()}{panda_model.robot_body()}</worldbody>
  <actuator>{panda_model.ACTUATORS}</actuator>
</mujoco>""")


class PoseMap:
    """Draws the robot from its commanded state: what conditions the video world. Needs calibrated cameras."""

    cameras = tuple(c.name for c in panda.CAMERAS)

    def __init__(self) -> None:
        self._model = copy(_robot_only())  # its own: cameras move in it
        self._data = mujoco.MjData(self._model)
        self._standing: Sequence[Camera] = panda.CAMERAS
        self._drawer = Drawer(self._model, self.cameras, (panda.CAMERAS[0].height, panda.CAMERAS[0].width))

    def draw(
        self, commanded: NDArray[np.float32], cameras: Sequence[Camera] = panda.CAMERAS
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """State [15] -> robot images [cameras, H, W, 3] (black elsewhere) and depth [cameras, H, W] in metres, inf elsewhere.
        `cameras`: the same ones, where they stand; those on the hand do not move in it."""
        self._stand(cameras)
        self._data.qpos[:7] = commanded[8:]
        self._data.qpos[7:9] = commanded[7] * panda.OPENING_M / 2
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        rgb, depth = self._drawer.draw(self._data)
        depth = np.where(depth > 5.0, np.float32(np.inf), depth)
        return rgb, depth

    def _stand(self, cameras: Sequence[Camera]) -> None:
        if cameras == self._standing:
            return
        for camera in cameras:
            number, compiled = self._model.camera(camera.name).id, _robot_only()
            self._model.cam_pos[number], self._model.cam_quat[number] = (
                compiled.cam_pos[number],
                compiled.cam_quat[number],
            )
            if camera not in panda.CAMERAS:
                pose = camera.pose_in_mount
                self._model.cam_pos[number] = pose[:3, 3]
                self._model.cam_quat[number] = matrix_to_quat(pose[:3, :3] @ np.diag([1.0, -1.0, -1.0]))
        self._standing = cameras
