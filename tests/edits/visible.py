"""Scenes drawn as they are written, before physics moves anything; and which pixels show a body: those that change when it is
painted over."""

import mujoco
import numpy as np

from reverie.core import Scene
from reverie.embodiments import panda
from reverie.embodiments.drawing import Drawer
from reverie.sim import table_model

CAMERAS = panda.OBSERVATION_SPEC.camera_names


def _posed(scene: Scene) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = table_model.build(scene)
    data = mujoco.MjData(model)
    state = panda.start([scene.robot_start])[0]
    for i in range(7):
        data.joint(f"joint{i + 1}").qpos = state[8 + i]
    for side in ("left", "right"):
        data.joint(f"{side}_finger").qpos = panda.OPENING_M / 2
    mujoco.mj_forward(model, data)
    return model, data


def drawn(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Images [cameras, H, W, 3] and depth [cameras, H, W]."""
    model, data = _posed(scene)
    return Drawer(model, CAMERAS, (64, 64)).draw(data)


def pixels_of(scene: Scene, *bodies: str) -> np.ndarray:
    """[cameras, H, W], bool: where one of these bodies (or the geom "table") is seen."""
    model, data = _posed(scene)
    before, _ = Drawer(model, CAMERAS, (64, 64)).draw(data)
    for body in bodies:
        geoms = (
            [model.geom("table").id] if body == "table" else np.flatnonzero(model.geom_bodyid == model.body(body).id)
        )
        solid = [g for g in geoms if model.geom_rgba[g, 3] > 0]
        model.geom_rgba[solid, :3] = np.where(model.geom_rgba[solid, :3] > 0.5, 0, 1)
    after, _ = Drawer(model, CAMERAS, (64, 64)).draw(data)
    return np.asarray((before != after).any(-1))
