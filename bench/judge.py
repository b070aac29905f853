"""How often the shipped judges are right on held-out episodes: on real frames, and on frames that the video world made.

    python bench/judge.py [--scenes 80]

Episodes of the expert and of those who err on held-out test scenes; truth is physics. Generated frames come from replaying
the same commands in the video world. The pose-only judge is the control: it sees no frame.
"""

from dataclasses import dataclass, replace

import tyro

from record import rate, write
from reverie.core import Episode, TrialKey
from reverie.embodiments import panda
from reverie.evaluation.loaders import judge, shipped, video
from reverie.judges import confusion
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig

BEHAVIOURS = ("expert", "expert", "expert", "near_miss", "wrong_object", "wrong_place", "drop", "missed_grasp")


@dataclass(frozen=True)
class Options:
    scenes: int = 80
    first: int = 500


def episodes(options: Options) -> tuple[list[Episode], list[Episode]]:
    world, tasks = video("shipped"), list(BASIC)
    real: list[Episode] = []
    dreamt: list[Episode] = []
    per = options.scenes // len(BEHAVIOURS)
    for i, variant in enumerate(BEHAVIOURS):
        scenes = [draw_scene(tasks[n % 2], "test", options.first + n // 2) for n in range(i * per, (i + 1) * per)]
        keys = [TrialKey(variant, "physics", s.id) for s in scenes]
        seen = rollout(Script(ScriptConfig(variant=variant)), PhysicsWorld(), scenes, keys, 80)
        replay = Recorded(executed_actions(seen), panda.ACTION_SPEC, frame_every=2, n_action_steps=2)
        real += seen
        dreamt += [
            replace(d, success=r.success) for d, r in zip(rollout(replay, world, scenes, keys, 80), seen, strict=True)
        ]
    return real, dreamt


def main() -> None:
    options = tyro.cli(Options)
    real, dreamt = episodes(options)
    values: dict = {}
    for name in ("frames", "pose_only"):
        one = judge(str(shipped(f"judges/{name}")))
        for frames, chosen in (("real", real), ("generated", dreamt)):
            found = confusion(one.judge(chosen), [e.success for e in chosen])
            values[f"{name}_{frames}"] = {
                "accuracy": rate(found.accuracy),
                "sensitivity": rate(found.sensitivity),
                "specificity": rate(found.specificity),
                "auc": rate(found.auc),
            }
    write("judge", values)


if __name__ == "__main__":
    main()
