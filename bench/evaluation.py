"""Does the video world rank policies like physics? Shipped policies, classical pipeline and two scripts that err, in both.

    python bench/evaluation.py [--scenes 40] [--out build/bench/evaluation]

Held-out scenes, both families; the run resumes. Beside every correlation: the pose-only judge, the replay bound, and the same
over the policies that look at frames. Then, in a run of its own, a policy that does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from record import number, rate, rated, write
from reverie.cli.demo import shipped_request
from reverie.cli.progress import progress
from reverie.evaluation import Request, evaluate, make_plan
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.comparison import Comparison, Correlation
from reverie.evaluation.summary import Summary, summarise
from reverie.report import write_report

JUDGE = "shipped:frames"


@dataclass(frozen=True)
class Options:
    scenes: int = 40
    """Held-out scenes, half of each family: trials per policy and world."""
    first: int = 100
    """Number of the first scene: others than those of the demo."""
    out: Path = Path("build/bench/evaluation")
    processes: int = 2


def described(c: Comparison) -> dict[str, Any]:
    rates = zip(c.policies, c.predicted, c.true, strict=True)
    return {
        "role": str(c.role),
        "judge": c.view.judge,
        "world": c.view.world,
        "policies": {name: {"predicted": rate(predicted), "true": rate(true)} for name, predicted, true in rates},
        "episodes_dropped": number(c.dropped, n=c.dropped + c.agreement.accuracy.n),
        **correlated("pearson", c.pearson),
        **correlated("spearman", c.spearman),
        "mmrv": rate(c.mmrv_over_trials),
        "mmrv_from_noise": rate(c.mmrv_from_noise),
        "bias": rate(c.bias),
        "agreement": rate(c.agreement.accuracy),
        "agreement_over_policies": rate(c.agreement.clustered_accuracy) if c.agreement.clustered_accuracy else None,
        "majority": number(c.agreement.majority, n=c.agreement.accuracy.n)
        if c.agreement.majority is not None
        else None,
        "beats_majority_p": c.agreement.beats_majority.value,
        "kappa": rate(c.agreement.kappa),
    } | ({"looking": described(c.looking)} if c.looking else {})


def correlated(name: str, found: Correlation) -> dict[str, Any]:
    return {
        name: rate(found.over_policies),
        f"{name}_over_trials": rate(found.over_trials),
        f"{name}_drop_one": {"low": found.drop_one.low, "high": found.drop_one.high, "n": found.drop_one.n},
        f"{name}_p": found.p.value,
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
            found["gain_over_control"] = rate(g.difference) | {
                "looking": rate(g.looking),
                "episodes_dropped": g.dropped,
            }
    return found


def doing_nothing(request: Request, options: Options) -> dict[str, Any]:
    """Success, as the frame judge says, of keeping the hand still and open in the video world."""
    alone = replace(request, policies=("nothing",), worlds=("video:shipped",), judges=(JUDGE,), truth=None, controls=())
    (found,) = run(alone, options.out / "nothing", options.processes).rates
    return rated(found)


def run(request: Request, out: Path, processes: int) -> Summary:
    with progress("trials") as advance:
        evaluate(make_plan(request), out, processes, advance)
    return summarise(out)


def rates_by_view(summary: Summary) -> Mapping[str, Mapping[str, Any]]:
    """world_judge -> policy -> rate; a view in which nothing was scored (physics' judge in the video world) is absent."""
    found: dict[str, dict[str, Any]] = {}
    for r in summary.rates:
        if r.success.value is not None:
            found.setdefault(f"{r.view.world}_{r.view.judge}", {})[r.policy] = rated(r)
    return found


def main() -> None:
    options = tyro.cli(Options)
    request = shipped_request(f"test:{options.scenes}+{options.first}")
    summary = run(request, options.out / "ranking", options.processes)
    print(write_report(options.out / "ranking"))
    nothing = doing_nothing(request, options)
    write("evaluation", {**found_by_role(summary), "nothing": nothing, "rates": rates_by_view(summary)})


if __name__ == "__main__":
    main()
