"""Does the video world rank policies like physics? Shipped policies, classical pipeline and two scripts that err, in both.

    python bench/evaluation.py [--scenes 40] [--out build/bench/evaluation]

Held-out scenes, both families; the run resumes. Beside every correlation: the pose-only judge and the replay bound.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from record import rate, write
from reverie.cli.demo import shipped_request
from reverie.cli.progress import progress
from reverie.core import TrialKey
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.comparison import Comparison
from reverie.evaluation.loaders import judge as open_judge
from reverie.evaluation.loaders import nothing, shipped, tabletop_scenes, video
from reverie.evaluation.summary import Summary, summarise
from reverie.report import write_report
from reverie.rollouts import rollout
from reverie.stats import wilson


@dataclass(frozen=True)
class Options:
    scenes: int = 40
    """Held-out scenes, half of each family: trials per policy and world."""
    first: int = 100
    """Number of the first scene: others than those of the demo."""
    out: Path = Path("build/bench/evaluation")
    processes: int = 2


def described(c: Comparison) -> dict[str, Any]:
    return {
        "role": str(c.role),
        "judge": c.view.judge,
        "world": c.view.world,
        "policies": dict(zip(c.policies, zip(c.predicted, c.true, strict=True), strict=True)),
        "pearson": rate(c.pearson.over_policies),
        "pearson_over_trials": rate(c.pearson.over_trials),
        "pearson_drop_one": [c.pearson.drop_one.low, c.pearson.drop_one.high],
        "pearson_p": c.pearson.p.value,
        "spearman": rate(c.spearman.over_policies),
        "mmrv": rate(c.mmrv),
        "mmrv_from_noise": rate(c.mmrv_from_noise),
        "bias": rate(c.bias),
        "agreement": rate(c.agreement.accuracy),
        "majority": rate(c.agreement.majority),
        "beats_majority_p": c.agreement.beats_majority.value,
        "kappa": rate(c.agreement.kappa),
    }


def found_by_role(summary: Summary) -> dict[str, Any]:
    """prediction, control (in the video world) and replay bound, as the frame judge and the pose-only judge see them."""
    named = {
        "prediction": ("prediction", "frames"),
        "control": ("control", "pose_only"),
        "replay_bound": ("replay bound", "frames"),
        "judge_alone": ("judge alone", "frames"),
    }
    found: dict[str, Any] = {}
    for name, (role, judge) in named.items():
        matching = [c for c in summary.comparisons if c.role == role and c.view.judge.startswith(judge)]
        chosen = [c for c in matching if c.view.world.startswith("video") and not c.view.world.endswith(REPLAY)]
        for c in (chosen or matching)[:1]:
            found[name] = described(c)
    for g in summary.gains:
        if g.prediction.judge.startswith("frames") and not g.prediction.world.endswith(REPLAY):
            found["gain_over_control"] = rate(g.difference)
    return found


def doing_nothing(options: Options) -> dict[str, Any]:
    """A policy that keeps the hand still and open: successes in the video world, as the frame judge says."""
    world, judge = video("shipped"), open_judge(str(shipped("judges/frames")))
    scenes = tabletop_scenes("test", f"{options.scenes}+{options.first}")
    succeeded = 0
    for i in range(0, len(scenes), 8):
        block = scenes[i : i + 8]
        keys = [TrialKey("nothing", "video", s.id) for s in block]
        verdicts = judge.judge(rollout(nothing(""), world, block, keys, 80))
        succeeded += sum(bool(v.success) for v in verdicts)
    return rate(wilson(succeeded, len(scenes)))


def main() -> None:
    options = tyro.cli(Options)
    plan = make_plan(shipped_request(f"test:{options.scenes}+{options.first}"))
    with progress("trials") as advance:
        evaluate(plan, options.out, options.processes, advance)
    write_report(options.out)
    summary = summarise(options.out)
    rates: dict[str, dict[str, Any]] = {}
    for r in summary.rates:
        rates.setdefault(f"{r.view.world.split(':')[0]}_{r.view.judge.split('@')[0]}", {})[r.policy] = rate(r.success)
    write("evaluation", {**found_by_role(summary), "nothing": doing_nothing(options), "rates": rates})


if __name__ == "__main__":
    main()
