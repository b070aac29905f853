"""The README's picture: one held-out scene and one policy's commands, in physics and replayed in the video world.

python bench/picture.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

from reverie.core import Episode, TrialKey
from reverie.embodiments import panda
from reverie.evaluation.loaders import video
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "real_beside_dreamt.png"
FRAMES = (0, 7, 11, 15, 20, 30)
CAMERAS = ("front", "top", "wrist")
SCALE = 2


def strip(episode: Episode) -> np.ndarray:
    """Frames from left to right, cameras side by side within each."""
    cells = [np.concatenate([episode.observations.images[c][f] for c in CAMERAS], axis=1) for f in FRAMES]
    return np.concatenate([np.pad(c, ((1, 1), (1, 3), (0, 0)), constant_values=255) for c in cells], axis=1)


def main() -> None:
    scene = draw_scene("put", "test", 1)
    keys = [TrialKey("expert", "physics", scene.id)]
    real = rollout(Script(ScriptConfig()), PhysicsWorld(), [scene], keys, 80)
    replay = Recorded(executed_actions(real), panda.ACTION_SPEC, frame_every=2, n_action_steps=2)
    dreamt = rollout(replay, video("shipped"), [scene], keys, 80)
    rows = np.concatenate([strip(real[0]), strip(dreamt[0])], axis=0)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(np.repeat(rows, SCALE, 0), SCALE, 1)).save(OUT)
    print(f'{OUT}: "{scene.instruction}", physics above, video world below')


if __name__ == "__main__":
    main()
