"""The picture of `docs/axes.md`: one held-out scene, its first frame clean and under every level of every axis that a frame shows.

python bench/axes_picture.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from reverie.core import Scene
from reverie.edits import AXES, edited
from reverie.rollouts.noisy import noisy
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "axes.png"
CAMERAS = ("front", "side", "top")
SCALE, LABEL_PX, GAP_PX = 1, 12, 3
LEFT_OUT = ("language", "camera_pose_old")
"""Axes of which no frame shows anything, or what another one shows."""


def frame(scene: Scene) -> np.ndarray:
    """[64, 192, 3]: three cameras side by side."""
    images = noisy(PhysicsWorld(), [scene]).reset([scene], [0]).images
    return np.concatenate([images[c][0] for c in CAMERAS], axis=1)


def cell(words: str, scene: Scene) -> np.ndarray:
    """A frame under its name."""
    picture = Image.fromarray(np.repeat(np.repeat(frame(scene), SCALE, 0), SCALE, 1))
    whole = Image.new("RGB", (picture.width + GAP_PX, picture.height + LABEL_PX + GAP_PX), "white")
    whole.paste(picture, (0, LABEL_PX))
    ImageDraw.Draw(whole).text((1, 0), words, "black")
    return np.asarray(whole)


def rows(scene: Scene) -> list[list[np.ndarray]]:
    found = []
    for name, axis in AXES.items():
        if axis.blind or name in LEFT_OUT:
            continue
        shown = [(f"{name}: {level}", edited(scene, name, level)) for level in axis.levels]
        found.append([cell("clean", scene), *(cell(words, s) for words, s in shown if s is not None)])
    return found


def main() -> None:
    scene = draw_scene("put", "test", 2)
    cells = rows(scene)
    columns = max(map(len, cells))
    blank = np.full_like(cells[0][0], 255)
    sheet = np.concatenate([np.concatenate([*row, *[blank] * (columns - len(row))], axis=1) for row in cells], axis=0)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(OUT, optimize=True)
    print(f'{OUT}: "{scene.instruction}"')


if __name__ == "__main__":
    main()
