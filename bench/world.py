"""How faithful the shipped video world is on held-out scenes, and what one frame costs.

    python bench/world.py [--scenes 40]

Physics episodes (expert and erring scripts) are replayed: same first frame, same commands. Reported at 1, 5, 10, 20 and 40
frames: PSNR and SSIM on all pixels, on moving ones and on those that moved in either, against repeating the first frame and
against the first frame with the robot drawn into it; and how far off a grounded probe sees MOVED objects, beside the same
probe on the real frames. Then: which way the robot moves, in pixels, if its commands are negated.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from record import number, rate, write
from reverie.core import Episode, TrialKey
from reverie.embodiments import panda
from reverie.embodiments.drawing import PoseMap
from reverie.evaluation.fidelity import METRICS, Frames, Pair, series, table, views
from reverie.evaluation.loaders import shipped, video
from reverie.evaluation.motion import alignment, displacement
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig
from reverie.stats import bootstrap_median, wilson
from reverie.training.grounding import open_grounding

FRAMES = (1, 5, 10, 20, 40)
MOVED_M, CLOSE_M = 0.03, 0.02
ROWS_AT_ONCE = 10
TURNED_STEPS = 10
BEHAVIOURS = ("expert", "near_miss", "wrong_object", "drop")


@dataclass(frozen=True)
class Options:
    scenes: int = 40
    """In equal parts of four behaviours."""
    first: int = 300


def recorded(options: Options) -> list[Episode]:
    """Physics episodes of every behaviour."""
    tasks, per = list(BASIC), max(options.scenes // len(BEHAVIOURS), 1)
    found: list[Episode] = []
    for i, variant in enumerate(BEHAVIOURS):
        numbers = range(options.first + i * per, options.first + (i + 1) * per)
        scenes = [draw_scene(tasks[n % len(tasks)], "test", n) for n in numbers]
        keys = [TrialKey(variant, "physics", s.id) for s in scenes]
        found += rollout(Script(ScriptConfig(variant=variant)), PhysicsWorld(), scenes, keys, 80)
    return found


def dreamt(real: Sequence[Episode], actions: NDArray[np.float32]) -> list[Episode]:
    """What the shipped video world makes of actions [B, N, A], from the first frames of `real`."""
    world, found = video("shipped"), list[Episode]()
    for i in range(0, len(real), ROWS_AT_ONCE):
        rows = slice(i, i + ROWS_AT_ONCE)
        scenes = [e.scene for e in real[rows] if e.scene is not None]
        keys = [TrialKey("replay", "video", s.id) for s in scenes]  # a scene starts alike in both worlds
        replay = Recorded(actions[rows], panda.ACTION_SPEC, frame_every=2, n_action_steps=2)
        found += rollout(replay, world, scenes, keys, actions.shape[1])
    return found


def robot_drawn(episode: Episode) -> Frames:
    """The first frame, with the robot drawn over it where it is commanded to be in each frame."""
    drawer, first = PoseMap(), views(episode)[0]
    assert episode.observations.commanded is not None
    maps = (drawer.draw(state) for state in episode.observations.commanded)
    return np.stack([np.where(np.isfinite(depth)[..., None], rgb, first) for rgb, depth in maps])


def pixels(real: list[Episode], dreams: list[Episode]) -> dict[str, Any]:
    """metric -> frame -> dreamt, copied, gain, drawn, gain_over_drawn."""
    pairs = [Pair(r.scene.id, r, d, robot_drawn(r)) for r, d in zip(real, dreams, strict=True) if r.scene is not None]
    found = table([series(pair) for pair in pairs], FRAMES)
    sides = ("dreamt", "copied", "gain", "drawn", "gain_over_drawn")
    return {
        metric: {
            frame: {side: rate(getattr(point, side)) | {"unit": METRICS[metric][1]} for side in sides}
            for frame, point in by_frame.items()
        }
        for metric, by_frame in found.items()
    }


def at_the_start(episode: Episode) -> Episode:
    """The same frames beside the true first state throughout: whoever reads them cannot read the hand instead."""
    states = episode.observations.commanded
    assert states is not None
    still = np.repeat(states[:1], len(states), axis=0)
    return replace(episode, observations=replace(episode.observations, commanded=still))


def probe(real: list[Episode], dreams: list[Episode]) -> dict[str, Any]:
    """Where the shipped backbone sees objects that have moved 3 cm or more by then (after one frame nothing has: there,
    those that will), in generated and in real frames; with the commanded state that policies are given, and blind to it."""
    grounder = open_grounding(shipped("grounding/backbone"))
    values: dict[str, Any] = {}
    for frame in FRAMES:
        errors: dict[str, list[float]] = {}
        for r, d in zip(real, dreams, strict=True):
            places = target_places(r)
            if np.linalg.norm(places[-1 if frame == 1 else frame] - places[0]) < MOVED_M:
                continue
            for name, episode in (("generated", d), ("real", r)):
                for state, seen in (("", episode), ("_state_held", at_the_start(episode))):
                    found, _ = grounder.look(seen.observations[[frame]], seen.observation_spec, [seen.instruction])
                    error = np.linalg.norm(found.positions_m[0, 0].numpy() - places[frame])
                    errors.setdefault(name + state, []).append(float(error))
        values[f"frame_{frame}"] = {name: summary(e) for name, e in errors.items()}
    return values


def target_places(episode: Episode) -> NDArray[np.float32]:
    """[F, 3]"""
    assert episode.scene is not None
    index = [o.name for o in episode.scene.objects].index(episode.scene.target)
    return np.asarray(episode.observations.extras["object_poses"][:, index, :3])


def summary(errors_m: list[float]) -> dict[str, Any]:
    low, high = np.quantile(errors_m, (0.25, 0.75))
    return {
        "median": rate(bootstrap_median(errors_m, "episodes")) | {"unit": "m"},
        "quartiles_m": [float(low), float(high)],
        "within_2cm": rate(wilson(sum(e < CLOSE_M for e in errors_m), len(errors_m))),
    }


def negated(real: list[Episode], dreams: list[Episode]) -> dict[str, Any]:
    """The first second with the given and with negated commands: how often the frames move the way of the real ones, and how
    often the other way. Motion is measured in pixels: nothing that conditions the world is compared with."""
    actions = executed_actions(real)[:, :TURNED_STEPS].copy()
    actions[:, :, :6] *= -1
    n = 1 + TURNED_STEPS // 2
    truth, given, turned = (
        [displacement(views(e)[:n]) for e in episodes] for episodes in (real, dreams, dreamt(real, actions))
    )
    same = sum(alignment(a, b) > 0 for a, b in zip(given, truth, strict=True))
    other = sum(alignment(a, b) < 0 for a, b in zip(turned, truth, strict=True))
    return {
        "given_commands_move_the_same_way": rate(wilson(same, len(real))),
        "negated_commands_move_the_other_way": rate(wilson(other, len(real))),
    }


def cost() -> dict[str, Any]:
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
    real = recorded(options)
    dreams = dreamt(real, executed_actions(real))
    write("world", {"pixels": pixels(real, dreams), "probe": probe(real, dreams), **negated(real, dreams), **cost()})


if __name__ == "__main__":
    main()
