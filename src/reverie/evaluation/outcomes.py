"""Outcomes: the records of a run as one table, outcome by world, judge, policy and cell (scene, edit, replicate).

Reads records only; decides nothing about what they mean together. A trial that ended in an error has that outcome in the
eyes of every judge; a trial that a judge never saw is not scored by it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reverie.core import Outcome, TrialKey, Verdict, outcome_of
from reverie.evaluation.blocks import REPLAY
from reverie.evaluation.plan import Plan, read_plan
from reverie.trials import TRIALS, VERDICTS

Cell = tuple[str, str, int]
SCRIPTS = "+scripts"
"""Suffix of an arm that unites a world's own trials with the replayed ones of scripts."""


@dataclass(frozen=True, order=True)
class View:
    """One world (or arm of it) in the eyes of one judge."""

    world: str
    judge: str


@dataclass(frozen=True)
class Outcomes:
    """outcomes[view][policy][cell]; harm[view][policy] counts harmful events by name."""

    plan: Plan
    outcomes: Mapping[View, Mapping[str, Mapping[Cell, Outcome]]]
    harm: Mapping[View, Mapping[str, Mapping[str, int]]]
    n_trials: int

    @property
    def truth(self) -> View | None:
        return View(self.plan.truth.world, self.plan.truth.judge) if self.plan.truth else None

    @property
    def policies(self) -> tuple[str, ...]:
        return tuple(p.name for p in (*self.plan.policies, *self.plan.replayed_only))


def read_outcomes(folder: Path) -> Outcomes:
    """One pass over trials and verdicts."""
    plan = read_plan(folder)
    verdicts, judges = _verdicts(folder)
    judges += [j.name for j in plan.judges if not any(f"{said}@".startswith(f"{j.name}@") for said in judges)]
    table: dict[View, dict[str, dict[Cell, Outcome]]] = defaultdict(lambda: defaultdict(dict))
    harm: dict[View, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    n_trials = 0
    for trial in TRIALS.read(folder):
        n_trials += 1
        key, cell = trial.key, (trial.key.scene, trial.key.edit, trial.key.replicate)
        for judge in judges:
            verdict = verdicts.get((key, judge))
            table[View(key.world, judge)][key.policy][cell] = outcome_of(trial, verdict)
            if verdict is not None:
                harm[View(key.world, judge)][key.policy].update(verdict.harm)
    return Outcomes(plan, {**table, **_with_scripts(plan, table)}, harm, n_trials)


def _verdicts(folder: Path) -> tuple[dict[tuple[TrialKey, str], Verdict], list[str]]:
    """Verdicts by trial and judge; a judge with several versions counts as several judges, `name@version`."""
    found = [(v.key, v.verdict) for v in VERDICTS.read(folder)]
    versions: dict[str, set[str]] = defaultdict(set)
    for _, verdict in found:
        versions[verdict.judge].add(verdict.judge_version)

    def label(verdict: Verdict) -> str:
        return verdict.judge if len(versions[verdict.judge]) == 1 else f"{verdict.judge}@{verdict.judge_version}"

    return {(k, label(v)): v for k, v in found}, list(dict.fromkeys(label(v) for _, v in found))


def _with_scripts(
    plan: Plan, table: Mapping[View, Mapping[str, Mapping[Cell, Outcome]]]
) -> dict[View, dict[str, Mapping[Cell, Outcome]]]:
    """Scripts cannot see a world that measures nothing; their replayed trials there stand beside the policies' own."""
    scripts = {s.name for s in plan.replayed_only}
    united: dict[View, dict[str, Mapping[Cell, Outcome]]] = {}
    for view, rows in table.items():
        replayed = table.get(View(view.world + REPLAY, view.judge), {})
        if scripts & replayed.keys():
            mine = {p: cells for p, cells in replayed.items() if p in scripts}
            united[View(view.world + SCRIPTS, view.judge)] = {**rows, **mine}
    return united
