"""How faithful the shipped video world is on held-out scenes, and what one frame costs.

    python bench/world.py [--scenes 40]

Physics episodes (expert and erring scripts) are replayed: same first frame, same commands. Reported at 1, 10 and 40 frames:
PSNR on all and on moving pixels against repeating the first frame, and the position error of MOVED objects as seen by a
grounded probe, beside the same probe on the real frames. Then: negated commands move the robot the other way.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from record import number, rate, write
from reverie.core import Episode, Estimate, TrialKey
from reverie.embodiments import panda
from reverie.evaluation.loaders import SHIPPED, policy_checkpoint, shipped, video
from reverie.policies.probe import named_positions
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.scenes.tasks import TASKS, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig

FRAMES = (1, 5, 10, 20, 40)
MOVED = 8
"""A pixel has moved if a channel differs from the first frame by more than this, of 255."""
MOVED_M = 0.03


@dataclass(frozen=True)
class Options:
    scenes: int = 40
    first: int = 300


def record(options: Options) -> tuple[list[Episode], list[Episode]]:
    """Physics episodes of four behaviours in equal parts, and their replays in the video world."""
    tasks = list(TASKS)
    real: list[Episode] = []
    for i, variant in enumerate(("expert", "near_miss", "wrong_object", "drop")):
        numbers = range(options.first + i * options.scenes // 4, options.first + (i + 1) * options.scenes // 4)
        scenes = [draw_scene(tasks[n % 2], "test", n) for n in numbers]
        keys = [TrialKey(variant, "physics", s.id) for s in scenes]
        real += rollout(Script(ScriptConfig(variant=variant)), PhysicsWorld(), scenes, keys, 80)
    world = video("shipped")
    dreamt: list[Episode] = []
    for i in range(0, len(real), 10):
        block = real[i : i + 10]
        scenes = [e.scene for e in block if e.scene is not None]
        keys = [TrialKey(v.provenance["source"].removeprefix("policy:script-"), "physics", s.id) for v, s in zip(block, scenes, strict=True)]  # fmt: skip
        replay = Recorded(executed_actions(block), panda.ACTION_SPEC, frame_every=2, n_action_steps=2)
        dreamt += rollout(replay, world, scenes, keys, 80)
    return real, dreamt


def views(episode: Episode, frame: int) -> NDArray[np.float64]:
    return np.stack([v[frame] for v in episode.observations.images.values()]).astype(np.float64)


def bootstrap(values: list[float], method: str) -> Estimate:
    """Mean over episodes with a percentile bootstrap interval."""
    found = np.array([v for v in values if np.isfinite(v)])
    draws = np.random.default_rng(0).choice(found, (4000, len(found))).mean(1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(found.mean()), float(low), float(high), len(found), method, 0.95)


def psnr(a: NDArray[np.float64], b: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
    error = ((a - b) ** 2).mean(-1)[where]
    return float(10 * np.log10(255**2 / max(error.mean(), 1e-9))) if error.size else float("nan")


def pixels(real: list[Episode], dreamt: list[Episode]) -> dict:
    values: dict = {}
    for frame in FRAMES:
        rows = []
        for r, d in zip(real, dreamt, strict=True):
            truth, dream, first = views(r, frame), views(d, frame), views(r, 0)
            moved = np.abs(truth - first).max(-1) > MOVED
            every = np.ones_like(moved)
            rows.append([psnr(dream, truth, every), psnr(first, truth, every), psnr(dream, truth, moved), psnr(first, truth, moved)])  # fmt: skip
        names = ("all", "all_copy_first", "moving", "moving_copy_first")
        columns = np.array(rows).T
        values[f"frame_{frame}"] = {
            n: rate(bootstrap(list(c), "mean PSNR in dB over episodes, bootstrap"))
            for n, c in zip(names, columns, strict=True)
        }
        gain = columns[2] - columns[3]
        values[f"frame_{frame}"]["moving_gain"] = rate(
            bootstrap(list(gain), "PSNR gain over the first frame, bootstrap")
        )
    return values


def probe(real: list[Episode], dreamt: list[Episode]) -> dict:
    """Median position error in metres of objects that have moved 3 cm or more, on generated and on real frames."""
    best = sorted(p.parent.name for p in SHIPPED.glob("policies/*/checkpoint.json"))[-1]
    policy = policy_checkpoint(str(shipped(f"policies/{best}")))
    values = {}
    for frame in FRAMES:
        errors: dict[str, list[float]] = {"generated": [], "real": []}
        for r, d in zip(real, dreamt, strict=True):
            assert r.scene is not None
            target = [o.name for o in r.scene.objects].index(r.scene.target)
            poses = r.observations.extras["object_poses"][:, target, :3]
            if np.linalg.norm(poses[frame] - poses[0]) < MOVED_M:
                continue
            for name, episode in (("generated", d), ("real", r)):
                found = named_positions(policy, episode, [frame])[0]
                errors[name].append(float(np.linalg.norm(found[0] - poses[frame])))
        values[f"frame_{frame}"] = {
            name: number(float(np.median(e)), "m, median", len(e)) for name, e in errors.items() if e
        }
    return values


def negated(real: list[Episode]) -> dict:
    """The robot in frame 5 of a dream of negated commands: on the other side, measured on the commanded pose and, in pixels,
    by which pose map its frame fits better."""
    from reverie.embodiments.drawing import PoseMap

    world, block = video("shipped"), real[:10]
    actions = executed_actions(block)[:, :10].copy()
    flipped = actions.copy()
    flipped[:, :, :6] *= -1
    scenes = [e.scene for e in block if e.scene is not None]
    keys = list(range(len(block)))
    dreams = {
        name: rollout(Recorded(a, panda.ACTION_SPEC, frame_every=2, n_action_steps=2), world, scenes, keys, 10)
        for name, a in (("given", actions), ("negated", flipped))
    }
    drawer, right = PoseMap(), 0
    for given, other in zip(dreams["given"], dreams["negated"], strict=True):
        errors = []
        for source in (given, other):
            assert source.observations.commanded is not None
            rgb, depth = drawer.draw(source.observations.commanded[5])
            shown = np.isfinite(depth)
            errors.append(np.abs(views(other, 5) - rgb)[shown].mean())
        right += bool(errors[1] < errors[0])
    return {"negated_commands_move_the_other_way": number(right / len(block), "share", len(block))}


def cost() -> dict:
    """Tiles a second, drawing and warping included, one thread, batches of 8."""
    torch.set_num_threads(1)
    world = video("shipped")
    world.reset([draw_scene("put", "validation", i) for i in range(8)], list(range(8)))
    still = np.zeros((8, 2, 7), np.float32)
    world.step(still)
    start = time.perf_counter()
    for _ in range(10):
        world.step(still)
    return {"tiles_per_second": number(80 / (time.perf_counter() - start), "tiles/s on one thread", 80)}


def main() -> None:
    options = tyro.cli(Options)
    real, dreamt = record(options)
    write("world", {"psnr": pixels(real, dreamt), "probe": probe(real, dreamt), **negated(real), **cost()})


if __name__ == "__main__":
    main()
