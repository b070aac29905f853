"""How good the scripted expert is on held-out scenes of every family of the benchmark.

python bench/experts.py [--scenes 200]
"""

from dataclasses import dataclass

import tyro

from physics import expert
from record import rate, write
from reverie.scenes.tasks import FAMILIES, draw_scene
from reverie.stats import wilson


@dataclass(frozen=True)
class Options:
    scenes: int = 200
    families: tuple[str, ...] = FAMILIES


def main() -> None:
    options = tyro.cli(Options)
    values = {}
    for family in options.families:
        scenes = [draw_scene(family, "test", i) for i in range(options.scenes)]
        values[family] = rate(wilson(expert(scenes), len(scenes)))
        print(family, values[family], flush=True)
    write("experts", values)


if __name__ == "__main__":
    main()
