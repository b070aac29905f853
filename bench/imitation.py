"""Why plain behaviour cloning drifts: how far off the demonstrated path it gets, and what chunks and recoveries change.

    python bench/imitation.py [--recovering build/shipped/demonstrations]

`bc` learns one action at a time from demonstrations without a mistake. Shown the demonstrator's own states it errs little, but
each error takes it where nobody demonstrated anything, so its distance from the path grows with time (Ross & Bagnell 2010,
theorem 2.1). Two remedies: chunks of ten actions of which four are executed before it looks again, and demonstrations that
are pushed off their path and come back. Two by two, everything else equal; the path is that of the demonstrator without noise
in the same scene, the distance that of the commanded position from the nearest point of it. The run resumes; the last line is
JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray

from arms import CLEAN, DEMONSTRATIONS, HZ, N_STEPS, Arm, Attempt, attempted, attempts, available, of_training, prepare
from record import number, rate, write
from reverie.evaluation.loaders import SHIPPED
from reverie.policies.bc import BCConfig
from reverie.scenes.tasks import draw_scene
from reverie.sim.script import Script, ScriptConfig
from reverie.stats import bootstrap_mean, wilson
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe

EPISODES = 1_000
AFTER_S = (0.5, 1.0, 2.0, 4.0, 8.0)
SINGLE, CHUNK = BCConfig(), BCConfig(horizon=10, n_action_steps=4)


@dataclass(frozen=True)
class Options:
    recovering: Path = Path("build/shipped/demonstrations")
    """Demonstrations that are disturbed and recover."""
    clean: Path = Path("build/bench/clean_demonstrations")
    """The same scenes without a disturbance; collected if they are not there."""
    backbone: Path = SHIPPED / "grounding" / "backbone"
    samples: int = 400_000
    scenes: int = 100
    first: int = 4_000
    out: Path = Path("build/bench/imitation")
    processes: int = 2


def arms_of(options: Options) -> list[Arm]:
    def arm(name: str, model: BCConfig, data: Path) -> Arm:
        recipe = PolicyRecipe(
            family="bc",
            model=model,
            backbone=options.backbone,
            freeze=("encoder.backbone",),
            cloning=CloningConfig(far_weight=1.0, episodes=EPISODES),
            trainer=TrainerConfig(samples=options.samples, batch_size=64, ema=0.999, validate_every=options.samples),
        )
        return Arm(name, name.replace(" ", "_"), recipe, (data,))

    return [
        arm("single", SINGLE, options.clean),
        arm("chunk", CHUNK, options.clean),
        arm("single recovering", SINGLE, options.recovering),
        arm("chunk recovering", CHUNK, options.recovering),
    ]


def off_path(path: NDArray[np.float64], demonstrated: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N + 1, 3] each -> distance of every position from the nearest demonstrated one, metres [N + 1]."""
    return np.asarray(np.linalg.norm(path[:, None] - demonstrated[None], axis=2).min(1))


def told(options: Options, arm: Arm, tries: Sequence[Attempt], shown: Sequence[Attempt]) -> dict[str, Any]:
    off = np.stack([off_path(np.array(a.path), np.array(b.path)) for a, b in zip(tries, shown, strict=True)])
    successes = sum(a.success for a in tries)
    return {
        "success": rate(wilson(successes, len(tries))),
        "off_path": {
            f"after_{s:g}s".replace(".", "_"): rate(bootstrap_mean(off[:, round(s * HZ)], "scenes")) for s in AFTER_S
        },
        **{k: number(v) for k, v in of_training(options.out, arm).items()},
    }


def main() -> None:
    options = tyro.cli(Options)
    assert round(AFTER_S[-1] * HZ) == N_STEPS
    available(options.recovering, DEMONSTRATIONS, options.processes)
    available(options.clean, CLEAN, options.processes)
    arms = arms_of(options)
    prepare(arms, options.out, options.processes)
    scenes = [draw_scene("put", "test", options.first + i) for i in range(options.scenes)]
    tries = attempts(arms, scenes, options.out, options.processes)
    demonstrator = Script(ScriptConfig(noise_m=0.0, noise_rad=0.0, bump_probability=0.0))
    shown = attempted(demonstrator, scenes)
    write("imitation", {arm.key: told(options, arm, tries[arm.name], shown) for arm in arms})


if __name__ == "__main__":
    main()
