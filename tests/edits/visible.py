"""Which pixels show a body: those that change when it is painted over. No segmentation buffer is needed for that."""

import mujoco
import numpy as np

from reverie.core import Scene
from reverie.embodiments import panda
from reverie.embodiments.drawing import Drawer
from reverie.sim import table_model

CAMERAS = panda.OBSERVATION_SPEC.camera_names


def pixels_of(scene: Scene, *bodies: str) -> np.ndarray:
    """[cameras, H, W], bool: where one of these bodies (or the geom "table") is seen at the start, the hand at its own."""
    model = table_model.build(scene)
    data = mujoco.MjData(model)
    state = panda.start([scene.robot_start])[0]
    for i in range(7):
        data.joint(f"joint{i + 1}").qpos = state[8 + i]
    mujoco.mj_forward(model, data)
    before, _ = Drawer(model, CAMERAS, (64, 64)).draw(data)
    for body in bodies:
        geoms = (
            [model.geom("table").id] if body == "table" else np.flatnonzero(model.geom_bodyid == model.body(body).id)
        )
        solid = [g for g in geoms if model.geom_rgba[g, 3] > 0]
        model.geom_rgba[solid, :3] = 1 - model.geom_rgba[solid, :3].round()
    after, _ = Drawer(model, CAMERAS, (64, 64)).draw(data)
    return np.asarray((before != after).any(-1))
