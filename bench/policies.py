"""Success of the shipped policies in physics on held-out scenes, with the right and with shuffled instructions.

python bench/policies.py [--scenes 100] [--out build/bench/policies]

Beside it, the best that a policy could do on the same scenes without reading the instruction. The run resumes.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import tyro

from record import number, rate, write
from reverie.cli.demo import shipped_request
from reverie.cli.progress import progress
from reverie.core import Outcome, Scene
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.scenes.blind import best_blind_success
from reverie.scenes.tasks import TASKS
from reverie.stats import exact_mcnemar, paired_difference, paired_table, wilson

Successes = dict[str, dict[str, bool]]


@dataclass(frozen=True)
class Options:
    scenes: int = 100
    """Per task family."""
    first: int = 1000
    """Number of the first scene: others than those of the demo and of `bench/evaluation.py`."""
    out: Path = Path("build/bench/policies")
    processes: int = 2


def successes(plan: Plan, out: Path, processes: int) -> Successes:
    """Policy -> scene -> did it succeed, in physics as physics judges."""
    with progress("trials") as advance:
        evaluate(plan, out, processes, advance)
    assert plan.truth is not None
    table = read_outcomes(out).outcomes[View(plan.truth.world, plan.truth.judge)]
    return {p: {cell[0]: o == Outcome.SUCCESS for cell, o in cells.items()} for p, cells in table.items()}


def shuffled(scenes: tuple[Scene, ...]) -> tuple[Scene, ...]:
    """Every scene with the instruction of the next one of its family."""
    families = {t: [s for s in scenes if s.task == t] for t in TASKS}
    return tuple(
        replace(s, instruction=family[(i + 1) % len(family)].instruction)
        for family in families.values()
        for i, s in enumerate(family)
    )


def main() -> None:
    options = tyro.cli(Options)
    request = replace(
        shipped_request(f"test:{2 * options.scenes}+{options.first}"),
        worlds=("physics",),
        judges=("physics",),
        controls=(),
        keep_video=False,
    )
    learned = tuple(p for p in request.policies if p.startswith("shipped:"))
    plan = make_plan(replace(request, policies=(*learned, "classical")))
    found = successes(plan, options.out / "asked", options.processes)
    scenes = plan.scenes
    done = {name: [by_scene[s.id] for s in scenes] for name, by_scene in found.items()}
    values: dict = {"policies": {}}
    for name, by_scene in found.items():
        families = {t: [by_scene[s.id] for s in scenes if s.task == t] for t in TASKS} | {"all": done[name]}
        values["policies"][name] = {t: rate(wilson(sum(r), len(r))) for t, r in families.items()}
    ranked = sorted((p.name for p in plan.policies if p.spec in learned), key=lambda n: -sum(done[n]))
    values["adjacent"] = {
        f"{a} - {b}": {
            "difference": rate(paired_difference(paired_table(done[a], done[b]))),
            "p": exact_mcnemar(paired_table(done[a], done[b]), "two-sided").value,
        }
        for a, b in pairwise(ranked)
    }
    values["largest_p_of_adjacent"] = number(max(pair["p"] for pair in values["adjacent"].values()))
    best = next(p for p in plan.policies if p.name == ranked[0])
    wrong_plan = replace(plan, policies=(best,), scenes=shuffled(scenes))
    by_scene = successes(wrong_plan, options.out / "shuffled", options.processes)[best.name]
    wrong = [by_scene[s.id] for s in scenes]
    values["shuffled"] = rate(wilson(sum(wrong), len(wrong)))
    values["cost_of_shuffling"] = rate(paired_difference(paired_table(done[best.name], wrong)))
    values["best"] = best.name
    values["blind"] = {
        t: number(fmean(best_blind_success(s) for s in scenes if s.task == t), n=options.scenes) for t in TASKS
    }
    write("policies", values)


if __name__ == "__main__":
    main()
