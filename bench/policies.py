"""Every shipped policy and the classical pipeline in physics, on held-out scenes: told what to do, told it in words that no
training used, told another scene's instruction; what each costs, and how well it imitates.

    python bench/policies.py [--scenes 100] [--out build/bench/policies]

The best of them is also told another task of the same scene; beside it, the best that a policy could do on the same scenes
without reading the instruction. The run resumes. The last line is JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import tyro

from policy_costs import action_error, held_out_takes, latency, parameters, training
from record import number, rate, rated, write
from reverie.cli.demo import shipped_policies, shipped_request
from reverie.cli.progress import progress
from reverie.core import Scene
from reverie.edits import edited_scenes
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.entrants import in_view
from reverie.evaluation.language import shuffled, swapped, told
from reverie.evaluation.loaders import SHIPPED
from reverie.evaluation.outcomes import Outcomes, View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import Rate, rates, scored
from reverie.evaluation.standings import standings
from reverie.policies import LEARNED
from reverie.rollouts import open_policy
from reverie.scenes.blind import best_blind_success
from reverie.scenes.tasks import BASIC
from reverie.stats import correlation, holm, paired_difference, paired_table

Successes = Mapping[str, bool]


@dataclass(frozen=True)
class Options:
    scenes: int = 100
    """Per task family."""
    first: int = 1000
    """Number of the first scene: others than those of the demo and of `bench/evaluation.py`."""
    out: Path = Path("build/bench/policies")
    processes: int = 2
    takes: int = 40
    """Demonstrations in validation scenes on which actions are compared."""


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

    def success(self, plan: Plan, arm: str) -> tuple[dict[str, Rate], dict[str, Successes]]:
        """By policy: its rate, and success by scene."""
        table = self.run(plan, arm)
        found = {r.policy: r for r in rates(table) if r.view == self.truth}
        return found, {name: by_scene(table, self.truth, name) for name in found}

    def told(self, scenes: Sequence[Scene], arm: str, only: str = "") -> tuple[dict[str, Rate], dict[str, Successes]]:
        """Success in scenes that are told something else, of every policy or of one."""
        policies = tuple(p for p in self.plan.policies if not only or p.name == only)
        return self.success(replace(self.plan, policies=policies, scenes=tuple(scenes)), arm)


def by_scene(table: Outcomes, view: View, policy: str) -> Successes:
    return {cell[0]: ok for cell, ok in scored(table.outcomes[view][policy]).items()}


def cost(asked: Successes, told: Successes) -> dict[str, Any]:
    """Success lost by the other instruction, over the scenes of the second."""
    return rate(paired_difference(paired_table([asked[s] for s in told], [*told.values()])))


def neighbouring(table: Outcomes, view: View, policies: Sequence[str]) -> dict[str, Any]:
    """Neighbours in the ranking of these alone: exact McNemar by scene, as in the standings of a finished run, but Holm over
    the pairs of neighbours, which are all that is asked here."""
    found = in_view(table, view)
    pairs = standings(
        replace(found, policies=tuple(e for e in found.policies if e.name in policies))
    ).next_to_each_other
    tests = holm([m.p.value for m in pairs])
    return {
        "adjacent": {
            f"{m.first} - {m.second}": {"difference": rate(m.difference), "p": m.p.value, "p_holm": float(p)}
            for m, p in zip(pairs, tests, strict=True)
        },
        "largest_p_of_adjacent": number(float(max(tests)), n=len(pairs)),
    }


def other_task(bench: Bench, asked: Successes, best: str) -> dict[str, Any]:
    scenes = bench.plan.scenes
    others = [(s, other) for s in scenes if (other := swapped(s)) is not None]
    ignored, ignored_by_scene = bench.told([told(s, o.instruction) for s, o in others], "swapped", best)
    followed, _ = bench.told([o for _, o in others], "followed", best)
    return {
        "asked": rated(ignored[best]),
        "cost": cost(asked, ignored_by_scene[best]),
        "followed": rated(followed[best]),
    }


def blind_of(scenes: Sequence[Scene], task: str) -> list[float]:
    return [best_blind_success(s) for s in scenes if s.task == task]


def misled(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Rank correlation of open-loop error with success over the learned policies: -1 if the one told all of the other."""
    pairs = [(r["action_error"]["value"], r["all"]["value"]) for r in rows.values() if "action_error" in r]
    errors, successes = zip(*pairs, strict=True)
    return rate(correlation(errors, successes, "spearman"))


def main() -> None:
    options = tyro.cli(Options)
    request = replace(
        shipped_request(f"test:{len(BASIC) * options.scenes}+{options.first}"),
        worlds=("physics",),
        judges=("physics",),
        controls=(),
        keep_video=False,
    )
    learned = shipped_policies()
    bench = Bench(options, make_plan(replace(request, policies=(*learned, "classical"))))
    asked_table = bench.run(bench.plan, "asked")
    asked, by = bench.success(bench.plan, "asked")
    paraphrase, paraphrase_by = bench.told(edited_scenes(bench.plan.scenes, ["language:rephrased"]), "paraphrased")
    absent, absent_by = bench.told(shuffled(bench.plan.scenes), "shuffled")
    rows: dict[str, dict[str, Any]] = {}
    for name, found in asked.items():
        rows[name] = {"all": rated(found)} | {t: rate(e) for t, e in found.by_task.items()}
        rows[name] |= {"paraphrased": rated(paraphrase[name]) | {"cost": cost(by[name], paraphrase_by[name])}}
        rows[name] |= {"shuffled": rated(absent[name]) | {"cost": cost(by[name], absent_by[name])}}
    takes = held_out_takes(options.out / "takes", options.takes, options.processes)
    for entry in bench.plan.policies:
        policy = open_policy(SHIPPED / "policies" / entry.name if entry.spec in learned else entry.spec)
        rows[entry.name]["latency"] = latency(policy, next(iter(takes.values())))
        if entry.spec in learned:
            rows[entry.name] |= training(entry.name) | {"action_error": action_error(policy, takes)}
    ranked = sorted((r for n, r in asked.items() if n != "classical"), key=lambda r: -r.success.value)
    best = ranked[0].policy
    graded = [r.policy for r in ranked if r.policy.startswith("vla-")]
    values = {
        "policies": rows,
        "paper": {family: parameters(family) for family in LEARNED},
        "best": best,
        "of_best": rows[best],
        "shuffled": rows[best]["shuffled"],
        "swapped": other_task(bench, by[best], best),
        "blind": {t: number(fmean(b), n=len(b)) for t in BASIC if (b := blind_of(bench.plan.scenes, t))},
        "error_against_success": misled(rows),
    }
    write("policies", values | neighbouring(asked_table, bench.truth, graded))


if __name__ == "__main__":
    main()
