"""The shipped backbone's card: where does it see the named things, in scenes, shapes and colours that it was not trained on, and
what does it answer?

    python bench/grounding.py [--scenes 500]

Frames are those after reset in held-out test scenes: the hand is far from everything, so nothing can be read off it. In
scenes with an unseen shape or colour only the target is of it; a word that no training sentence has names it. The same known
scenes are looked at again while a hand is in the way: after a second in which the expert went for the named thing or, in
every other scene, for another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from record import number, rate, write
from reverie.checkpoints import load
from reverie.core import Scene, TrialKey, generator
from reverie.core.observations import concat_rows
from reverie.edits import edited_scenes
from reverie.evaluation.loaders import SHIPPED
from reverie.rollouts import rollout
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig
from reverie.stats import bootstrap_median, wilson
from reverie.training.grounding import open_grounding
from reverie.training.questions import ANSWERS, KINDS
from reverie.training.receipts import lineage

BACKBONE = SHIPPED / "grounding" / "backbone"
SPEC = PhysicsWorld().observation_spec
WITHIN_M = 0.02
BLOCK = 50
REACHING, REACHED_STEPS = ("expert", "wrong_object"), 10


@dataclass(frozen=True)
class Options:
    scenes: int = 500
    """Per arm, half of each task family."""
    first: int = 5000
    """Number of the first scene."""


ARMS = {"known": (), **{f"unseen_{level}": (f"novel_object:{level}",) for level in ("shape", "color", "both")}}
"""By which edits of the same scenes."""


@dataclass(frozen=True)
class Shown:
    """Scenes with their first frames, and where their things are: poses [things, 7]."""

    scenes: Sequence[Scene]
    frames: Any
    poses: NDArray[np.float32]


def shown(scenes: Sequence[Scene], world: PhysicsWorld) -> Shown:
    observations = world.reset(scenes, [0] * len(scenes))
    return Shown(scenes, observations, observations.extras["object_poses"])


def reached(scenes: Sequence[Scene], world: PhysicsWorld) -> list[Shown]:
    """The scenes after `REACHED_STEPS`, in blocks by who acts."""
    blocks = []
    for i, variant in enumerate(REACHING):
        reaching = Script(ScriptConfig(variant=variant))
        of_it = scenes[i :: len(REACHING)]
        for start in range(0, len(of_it), BLOCK):
            block = of_it[start : start + BLOCK]
            keys = [TrialKey(variant, "physics", s.id) for s in block]
            last = concat_rows([e.observations[-1:] for e in rollout(reaching, world, block, keys, REACHED_STEPS)])
            blocks.append(Shown(block, last, last.extras["object_poses"]))
    return blocks


def slots(scene: Scene) -> list[int]:
    names = [o.name for o in scene.objects]
    return [names.index(scene.target), names.index(scene.reference)]


def located(model: Any, blocks: Sequence[Shown]) -> NDArray[np.float64]:
    """Distances [n, slots] between where the named things are and where they are seen, m."""
    found = []
    for block in blocks:
        seen, _ = model.look(block.frames, SPEC, [s.instruction for s in block.scenes])
        wanted = np.stack([block.poses[i, slots(s), :3] for i, s in enumerate(block.scenes)])
        found.append(np.linalg.norm(seen.positions_m.numpy() - wanted, axis=-1))
    return np.concatenate(found)


def placed(distances: NDArray[np.float64]) -> dict[str, Any]:
    return {
        slot: {
            "median": rate(bootstrap_median(list(d), "m")),
            "within_2cm": rate(wilson(int((d < WITHIN_M).sum()), len(d))),
        }
        for slot, d in zip(("target", "reference"), distances.T, strict=True)
    }


def answered(model: Any, blocks: Sequence[Shown]) -> dict[str, Any]:
    """Share of right answers by kind of question, one question a kind and scene where it can be asked."""
    found = {}
    for kind, ask in KINDS.items():
        right = []
        for block in blocks:
            rng = [generator("asked", kind, s.id) for s in block.scenes]
            asked = [ask(s.objects, p, r) for s, p, r in zip(block.scenes, block.poses, rng, strict=True)]
            keep = [i for i, q in enumerate(asked) if q is not None]
            if not keep:
                continue
            _, answers = model.look(block.frames[np.array(keep)], SPEC, [asked[i].instruction for i in keep])
            right += [ANSWERS[asked[i].answer] == ANSWERS[int(a)] for i, a in zip(keep, answers.argmax(1), strict=True)]
        found[kind] = rate(wilson(sum(right), len(right)))
    return found


def main() -> None:
    options = tyro.cli(Options)
    torch.set_num_threads(1)
    model, world, values = open_grounding(BACKBONE), PhysicsWorld(), {}
    numbers = range(options.first, options.first + options.scenes // len(BASIC))
    known = [draw_scene(task, "test", i) for i in numbers for task in BASIC]
    for arm, edits in ARMS.items():
        scenes = edited_scenes(known, edits) if edits else known
        blocks = [shown(scenes[i : i + BLOCK], world) for i in range(0, len(scenes), BLOCK)]
        values[arm] = placed(located(model, blocks))
        if arm == "known":
            values["answers"] = answered(model, blocks)
            values["reached"] = placed(located(model, reached(scenes, world)))
    trainings = [*lineage(load(BACKBONE).receipt)]  # it went on from others
    values["samples"] = number(sum(r["samples"] for r in trainings))
    values["minutes"] = number(sum(r["seconds"] * r.get("processes", 1) for r in trainings) / 60, "min of one core")
    write("grounding", values)


if __name__ == "__main__":
    main()
