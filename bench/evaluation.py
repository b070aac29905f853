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
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.comparison import Comparison
from reverie.evaluation.summary import summarise
from reverie.report import write_report


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


def main() -> None:
    options = tyro.cli(Options)
    plan = make_plan(shipped_request(f"test:{options.scenes}+{options.first}"))
    with progress("trials") as advance:
        evaluate(plan, options.out, options.processes, advance)
    write_report(options.out)
    summary = summarise(options.out)
    found = {f"{c.view.world}|{c.view.judge}": described(c) for c in summary.comparisons}
    rates = {f"{r.view.world}|{r.view.judge}|{r.policy}": rate(r.success) for r in summary.rates}
    write("evaluation", {"comparisons": found, "rates": rates})


if __name__ == "__main__":
    main()
