"""How good the scripted expert is on held-out scenes, and how fast collection is.

python bench/physics.py [--scenes 200] [--episodes 48]
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from record import number, rate, write
from reverie.collection import CollectConfig, collect
from reverie.core import Scene, TrialKey
from reverie.rollouts import rollout
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig
from reverie.stats import wilson


@dataclass(frozen=True)
class Options:
    scenes: int = 200
    episodes: int = 64
    processes: int = 2


def expert(scenes: list[Scene]) -> int:
    """Successes on scenes of one task, each for as long as the task takes."""
    successes, n_steps = 0, scenes[0].n_steps(80)
    for i in range(0, len(scenes), 20):
        block = scenes[i : i + 20]
        keys = [TrialKey("expert", "physics", s.id) for s in block]
        successes += sum(bool(e.success) for e in rollout(Script(ScriptConfig()), PhysicsWorld(), block, keys, n_steps))
    return successes


def episodes_per_hour(n: int, processes: int) -> float:
    """Rendered, encoded and written, processes started before the clock is not: all of it counts."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        collect(CollectConfig(episodes=n, mix="mixed"), Path(folder) / "data", processes)
        return n / (time.perf_counter() - start) * 3600


def main() -> None:
    options = tyro.cli(Options)
    values = {}
    for task in BASIC:
        scenes = [draw_scene(task, "test", i) for i in range(options.scenes)]
        values[f"expert_{task}"] = rate(wilson(expert(scenes), len(scenes)))
    speed = episodes_per_hour(options.episodes, options.processes)
    values["collection"] = number(speed, "episodes/h", options.episodes, processes=options.processes)
    write("physics", values)


if __name__ == "__main__":
    main()
