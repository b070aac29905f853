"""The surroundings of a scene in its MuJoCo model: plushies as text, light and what no image shows as changed numbers."""

import mujoco
import numpy as np

from reverie.core.errors import ReverieError, unknown_name
from reverie.core.scene import Distractor, Scene
from reverie.scenes.surroundings import LIGHTS, PLUSHIES, Light

_KG_PER_M3 = 60.0
"""Of a plushie's foot, which is the only part that touches: they are soft and light, and weigh nothing on the arm."""
HIDDEN = ("mass", "friction")


def distractor_body(number: int, distractor: Distractor) -> str:
    """`<body>` text of a plushie: parts that are only seen, over an unseen cylinder that is only touched."""
    if distractor.kind not in PLUSHIES:
        raise unknown_name("plushie", distractor.kind, list(PLUSHIES))
    toy, width, half = PLUSHIES[distractor.kind], distractor.size_m, distractor.yaw_rad / 2
    height = toy.height * width
    foot = (
        f'<geom class="thing" type="cylinder" size="{0.42 * width:.6g} {height / 2:.6g}" pos="0 0 {height / 2:.6g}" '
        f'rgba="0 0 0 0" density="{_KG_PER_M3}"/>'
    )
    seen = "".join(
        f'<geom type="{g.type}" size="{_text(width * np.array(g.size))}" pos="{_text(width * np.array(g.pos))}" '
        f'rgba="{_text(np.array(color))} 1" contype="0" conaffinity="0" mass="0"/>'
        for g, color in toy.parts
    )
    quat = f"{np.cos(half):.9g} 0 0 {np.sin(half):.9g}"
    return f'<body name="distractor_{number}" pos="{distractor.x} {distractor.y} 0.0005" quat="{quat}"><freejoint/>{foot}{seen}</body>'


def _text(values: np.ndarray) -> str:
    return " ".join(f"{v:.6g}" for v in values)


def surround(model: mujoco.MjModel, scene: Scene) -> mujoco.MjModel:
    """The model with the scene's light and hidden factors. Errors: ReverieError for names that are in no table."""
    light = scene.look.get("light")
    if light is not None:
        if light not in LIGHTS:
            raise unknown_name("light", str(light), list(LIGHTS))
        _lit(model, LIGHTS[light])
    if scene.hidden:
        _hide(model, scene)
    return model


def _lit(model: mujoco.MjModel, light: Light) -> None:
    factor = np.array(light.factor)
    model.light_diffuse *= factor
    for of_the_camera in (model.vis.headlight.ambient, model.vis.headlight.diffuse):
        of_the_camera *= factor
    if light.direction is not None:
        model.light_dir[:] = np.array(light.direction) / np.linalg.norm(light.direction)


def _hide(model: mujoco.MjModel, scene: Scene) -> None:
    """mass: of the scene's things. friction: wherever two bodies touch, so that no pair keeps the larger of two numbers."""
    for name, factor in scene.hidden.items():
        if name not in HIDDEN:
            raise unknown_name("hidden factor", name, list(HIDDEN))
        if not factor > 0:
            raise ReverieError(f"hidden factor {name} of scene {scene.id!r} is {factor}: it must be > 0")
    things = [model.body(o.name).id for o in scene.objects]
    model.body_mass[things] *= scene.hidden.get("mass", 1.0)
    model.body_inertia[things] *= scene.hidden.get("mass", 1.0)
    model.geom_friction *= scene.hidden.get("friction", 1.0)
    extent, centre = float(model.stat.extent), model.stat.center.copy()
    mujoco.mj_setConst(model, mujoco.MjData(model))
    model.stat.extent, model.stat.center[:] = extent, centre  # what is drawn, and how far, is no matter of mass
