"""Success of the shipped policies in physics on held-out scenes, and of the best of them when it is told something else.

    python bench/policies.py [--scenes 100] [--out build/bench/policies]

Told something else: another scene's instruction, or another task of the same scene. Beside it, the best that a policy could
do on the same scenes without reading the instruction. The run resumes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import tyro

from record import number, rate, rated, write
from reverie.cli.demo import shipped_request
from reverie.cli.progress import progress
from reverie.core import Scene
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.language import shuffled, swapped, told
from reverie.evaluation.outcomes import Outcomes, View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Neighbours, Rate, neighbours, rates, scored
from reverie.scenes.blind import best_blind_success
from reverie.scenes.tasks import TASKS
from reverie.stats import paired_difference, paired_table

Successes = Mapping[str, bool]


@dataclass(frozen=True)
class Options:
    scenes: int = 100
    """Per task family."""
    first: int = 1000
    """Number of the first scene: others than those of the demo and of `bench/evaluation.py`."""
    out: Path = Path("build/bench/policies")
    processes: int = 2


@dataclass(frozen=True)
class Bench:
    """The plan with the scenes' own instructions, from which every other arm differs in policies and scenes only."""

    options: Options
    plan: Plan

    @property
    def truth(self) -> View:
        assert self.plan.truth is not None
        return View(self.plan.truth.world, self.plan.truth.judge)

    def run(self, plan: Plan, arm: str) -> Outcomes:
        with progress(f"trials, {arm}") as advance:
            evaluate(plan, self.options.out / arm, self.options.processes, advance)
        return read_outcomes(self.options.out / arm)

    def told(self, best: str, scenes: Sequence[Scene], arm: str) -> tuple[dict[str, Any], Successes]:
        """The best policy's success, and by scene, in scenes that are told something else."""
        entry = next(p for p in self.plan.policies if p.name == best)
        table = self.run(replace(self.plan, policies=(entry,), scenes=tuple(scenes)), arm)
        (found,) = [r for r in rates(table) if r.view == self.truth]
        return rated(found), by_scene(table, self.truth, best)


def by_scene(table: Outcomes, view: View, policy: str) -> Successes:
    return {cell[0]: ok for cell, ok in scored(table.outcomes[view][policy]).items()}


def cost(asked: Successes, told: Successes) -> dict[str, Any]:
    """Success lost by the other instruction, over the scenes of the second."""
    return rate(paired_difference(paired_table([asked[s] for s in told], [*told.values()])))


def ranking(ranked: Sequence[Rate], pairs: Sequence[Neighbours]) -> dict[str, Any]:
    """As the report does: exact McNemar by scene, Holm over the pairs of neighbours."""
    return {
        "policies": {r.policy: {"all": rated(r)} | {t: rate(e) for t, e in r.by_task.items()} for r in ranked},
        "adjacent": {
            f"{n.better} - {n.worse}": {"difference": rate(n.difference), "p": n.p.value, "p_holm": n.p_holm}
            for n in pairs
        },
        "largest_p_of_adjacent": number(max(n.p_holm for n in pairs if n.p_holm is not None), n=len(pairs)),
    }


def language(bench: Bench, asked: Successes, best: str) -> dict[str, Any]:
    scenes = bench.plan.scenes
    others = [(s, other) for s in scenes if (other := swapped(s)) is not None]
    absent, absent_by_scene = bench.told(best, shuffled(scenes), "shuffled")
    ignored, ignored_by_scene = bench.told(best, [told(s, o.instruction) for s, o in others], "swapped")
    followed, _ = bench.told(best, [o for _, o in others], "followed")
    return {
        "best": best,
        "shuffled": absent | {"cost": cost(asked, absent_by_scene)},
        "swapped": {"asked": ignored, "cost": cost(asked, ignored_by_scene), "followed": followed},
        "blind": {t: number(fmean(b), n=len(b)) for t in TASKS if (b := blind_of(scenes, t))},
    }


def blind_of(scenes: Sequence[Scene], task: str) -> list[float]:
    return [best_blind_success(s) for s in scenes if s.task == task]


def main() -> None:
    options = tyro.cli(Options)
    request = replace(
        shipped_request(f"test:{len(TASKS) * options.scenes}+{options.first}"),
        worlds=("physics",),
        judges=("physics",),
        controls=(),
        keep_video=False,
    )
    learned = tuple(p for p in request.policies if p.startswith("shipped:"))
    bench = Bench(options, make_plan(replace(request, policies=(*learned, "classical"))))
    table = bench.run(bench.plan, "asked")
    ranked = [r for r in rates(table) if r.view == bench.truth]
    names = {p.name for p in bench.plan.policies if p.spec in learned}
    shipped = [r for r in ranked if r.policy in names]
    values = ranking(ranked, neighbours(table, bench.truth, shipped))
    best = shipped[0].policy
    values["of_best"] = values["policies"][best]
    write("policies", values | language(bench, by_scene(table, bench.truth, best), best))


if __name__ == "__main__":
    main()
