"""How often the shipped judges are right on held-out episodes: on real frames, and on frames that the video world made.

    python bench/judge.py [--scenes 80] [--into shipped]
    python bench/judge.py --measured --into FOLDER

Episodes of the expert and of those who err on held-out test scenes; truth is physics. Generated frames come from replaying
the same commands in the video world. The pose-only judge is the control: it sees no frame.

--into puts what the judge of frames gets wrong into the receipt of its checkpoint, from where it goes into every run's rates
and differences; a checkpoint with other weights than those that were measured is refused. --measured takes the numbers of
results/judge.json instead of measuring again.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from record import RESULTS, rate, write
from reverie.checkpoints import amend_receipt, load, weights_hash
from reverie.core import Episode, ReverieError, TrialKey
from reverie.embodiments import panda
from reverie.evaluation.loaders import judge, shipped, video
from reverie.judges import confusion
from reverie.judges.errors import ERRORS, GENERATED, RECORDED, JudgeErrors
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig

BEHAVIOURS = ("expert", "expert", "expert", "near_miss", "wrong_object", "wrong_place", "drop", "missed_grasp")


@dataclass(frozen=True)
class Options:
    scenes: int = 80
    first: int = 500
    into: str = ""
    """The folder of the judge's checkpoint, or "shipped"."""
    measured: bool = False
    """Measure nothing: take results/judge.json as it is."""


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


def measured(options: Options) -> dict[str, Any]:
    real, dreamt = episodes(options)
    values: dict[str, Any] = {"frames_weights": weights_hash(load(shipped("judges/frames")).weights)}
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
    return values


def counts(values: Mapping[str, Any]) -> dict[str, JudgeErrors]:
    """What the judge of frames gets wrong, by the kind of frames; from the rates that were written, which are shares of n."""
    found = {}
    for kind, name in ((RECORDED, "frames_real"), (GENERATED, "frames_generated")):
        se, sp = values[name]["sensitivity"], values[name]["specificity"]
        found[kind] = JudgeErrors(round(se["value"] * se["n"]), se["n"], round(sp["value"] * sp["n"]), sp["n"])
    return found


def put_into(folder: Path, record: Mapping[str, Any]) -> None:
    """Errors: ReverieError where other weights were measured, or the record does not say which."""
    values, there = record["values"], weights_hash(load(folder).weights)
    if values.get("frames_weights") != there:
        raise ReverieError(
            f"{folder}: its weights are {there}, those that were measured are {values.get('frames_weights', 'not recorded')}; "
            "measure it: python bench/judge.py --into shipped, with this checkpoint shipped as judges/frames"
        )
    n = values["frames_real"]["accuracy"]["n"]
    source = f"bench/judge.py at {record['receipt']['commit']}: {n} test episodes of scripts, as physics shows them and as the shipped video world replays them"  # fmt: skip
    told = {kind: errors.to_dict() for kind, errors in counts(values).items()}
    amend_receipt(folder, {ERRORS: told, f"{ERRORS}_from": source})


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    if not options.measured:
        write("judge", measured(options))
    if options.into:
        folder = shipped("judges/frames") if options.into == "shipped" else Path(options.into)
        put_into(folder, json.loads((RESULTS / "judge.json").read_text()))


if __name__ == "__main__":
    try:
        main()
    except ReverieError as error:
        sys.exit(str(error))
