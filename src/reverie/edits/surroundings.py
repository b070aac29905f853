"""Edits of how a scene looks: the table's cloth, the light, where cameras stand, noise. They change `Scene.look` alone."""

from typing import Any

import numpy as np

from reverie.core import Scene
from reverie.edits.values import looking
from reverie.embodiments import panda
from reverie.scenes.surroundings import CLOTHS, LIGHTS

NOISE_SIGMA = {"weak": 6.0, "medium": 12.0, "strong": 25.0}
_TURNS = {"near": (np.radians(4), np.radians(2), 0.03), "far": (np.radians(10), np.radians(5), 0.08)}


def cloth(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    name = f"{level}_cloth"
    assert name in CLOTHS
    return looking(scene, table=name)


def light(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    assert level in LIGHTS
    return looking(scene, light=level)


def cameras(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    """Every camera that does not move with the hand, each by a draw of its own: about, up, nearer; either way."""
    moved: dict[str, Any] = {}
    for camera in panda.CAMERAS:
        signs = rng.choice([-1.0, 1.0], 3)
        if camera.mount == "base":
            moved[camera.name] = [round(float(v), 4) for v in signs * _TURNS[level]]
    return looking(scene, cameras=moved)


def cameras_untold(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    return looking(cameras(scene, level, rng), calibration="old")


def noise(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    """The seed is a value of the scene: whoever adds the noise draws nothing."""
    return looking(scene, noise={"sigma": NOISE_SIGMA[level], "seed": int(rng.integers(2**62))})
