"""Success of the shipped policies in physics on held-out scenes, with the right and with shuffled instructions.

python bench/policies.py [--scenes 100]
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import tyro

from record import number, rate, write
from reverie.core import Policy, Scene, TrialKey
from reverie.evaluation.loaders import SHIPPED, shipped
from reverie.policies.catalog import load_policy
from reverie.rollouts import rollout
from reverie.scenes.tasks import TASKS, draw_scene
from reverie.sim import PhysicsWorld
from reverie.stats import exact_mcnemar, paired_difference, paired_table, wilson


@dataclass(frozen=True)
class Options:
    scenes: int = 100
    """Per task family."""
    shuffled: tuple[str, ...] = ()
    """Policies that also get other scenes' instructions; the best learned one unless given."""


def outcomes(policy: Policy, scenes: list[Scene], edit: str = "none") -> list[bool]:
    found: list[bool] = []
    for i in range(0, len(scenes), 20):
        block = scenes[i : i + 20]
        keys = [TrialKey(policy.name, "physics", s.id, edit) for s in block]
        found += [bool(e.success) for e in rollout(policy, PhysicsWorld(), block, keys, 80)]
    return found


def shuffled(scenes: list[Scene]) -> list[Scene]:
    """Every scene with the instruction of the next one of its family."""
    return [replace(s, instruction=scenes[(i + 1) % len(scenes)].instruction) for i, s in enumerate(scenes)]


def main() -> None:
    options = tyro.cli(Options)
    names = sorted(p.parent.name for p in SHIPPED.glob("policies/*/checkpoint.json"))
    policies = [load_policy(shipped(f"policies/{n}"), name=n) for n in names] + [load_policy("classical")]
    scenes = {t: [draw_scene(t, "test", i) for i in range(options.scenes)] for t in TASKS}
    found = {p.name: {t: outcomes(p, s) for t, s in scenes.items()} for p in policies}
    both = {name: [r for t in TASKS for r in by_task[t]] for name, by_task in found.items()}
    values: dict = {"policies": {}}
    for name, by_task in found.items():
        values["policies"][name] = {t: rate(wilson(sum(r), len(r))) for t, r in by_task.items()}
        values["policies"][name]["all"] = rate(wilson(sum(both[name]), len(both[name])))
    ranked = sorted(names, key=lambda n: -sum(both[n]))
    values["adjacent"] = {
        f"{a} - {b}": {
            "difference": rate(paired_difference(paired_table(both[a], both[b]))),
            "p": exact_mcnemar(paired_table(both[a], both[b]), "two-sided").value,
        }
        for a, b in pairwise(ranked)
    }
    for name in options.shuffled or ranked[:1]:
        policy = next(p for p in policies if p.name == name)
        wrong = [r for t in TASKS for r in outcomes(policy, shuffled(scenes[t]), "shuffled")]
        values["shuffled"] = {name: rate(wilson(sum(wrong), len(wrong)))}
        values["cost_of_shuffling"] = {name: rate(paired_difference(paired_table(both[name], wrong)))}
    values["scenes"] = number(options.scenes, "per family")
    write("policies", values)


if __name__ == "__main__":
    main()
