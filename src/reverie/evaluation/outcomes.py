"""Outcomes: the records of a run as one table, outcome by world, judge, policy and cell (scene, edit, replicate).

Reads records only; decides nothing about what they mean together. A trial that ended in an error has that outcome in the
eyes of every judge; a trial that a judge never saw is not scored by it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reverie.core import Outcome, ReverieError, TrialKey, outcome_of, outcome_said
from reverie.evaluation.blocks import REPLAY, SCRIPTS, UNEDITED, edit_of
from reverie.evaluation.cells import Column, Grid
from reverie.evaluation.judge_errors import Erring, Version, erring, known_errors
from reverie.evaluation.plan import Plan, read_plan
from reverie.trials import TRIALS, VERDICTS

Arm = tuple[str, str]
"""World (or arm of it) and policy."""
OUTCOMES = tuple(Outcome)


def _code(outcome: Outcome) -> int:
    return OUTCOMES.index(outcome) + 1


NOT_SCORED = _code(Outcome.NOT_SCORED)


@dataclass(frozen=True, order=True)
class View:
    """One world (or arm of it) in the eyes of one judge."""

    world: str
    judge: str


@dataclass(frozen=True)
class Outcomes:
    """outcomes[view][policy][cell]; harm[view][policy] counts harmful events by edit and name; clips[world, policy]: cells
    whose video was kept; errors[view]: how often its judge errs, of judges that know it."""

    plan: Plan
    outcomes: Mapping[View, Mapping[str, Column[Outcome]]]
    harm: Mapping[View, Mapping[str, Mapping[tuple[str, str], int]]]
    n_trials: int
    clips: Mapping[Arm, Column[bool]]
    errors: Mapping[View, Erring] = field(default_factory=dict)

    @property
    def truth(self) -> View | None:
        return View(self.plan.truth.world, self.plan.truth.judge) if self.plan.truth else None

    @property
    def policies(self) -> tuple[str, ...]:
        return tuple(p.name for p in (*self.plan.policies, *self.plan.replayed_only))

    @property
    def nominal(self) -> "Outcomes":
        """Without the edited scenes, where unedited ones stand beside them; else all of it."""
        edits = {edit_of(s) for s in self.plan.scenes}
        return self.under({UNEDITED}) if UNEDITED in edits and len(edits) > 1 else self

    def under(self, edits: Collection[str]) -> "Outcomes":
        """Only trials under one of these edits, of a plan that has no others."""
        mask = Grid.of(self.plan).mask(lambda _, edit: edit in edits)
        plan = replace(self.plan, scenes=tuple(s for s in self.plan.scenes if edit_of(s) in edits))
        grid = Grid.of(plan)
        kept = {v: {p: column.part(grid, mask) for p, column in rows.items()} for v, rows in self.outcomes.items()}
        clips = {arm: column.part(grid, mask) for arm, column in self.clips.items()}
        harm = {
            view: {p: {k: n for k, n in counts.items() if k[0] in edits} for p, counts in rows.items()}
            for view, rows in self.harm.items()
        }
        return replace(self, plan=plan, outcomes=kept, harm=harm, clips=clips)


Codes = dict[Arm, NDArray[np.uint8]]


@dataclass
class _Said:
    """What one judge at one version says, by arm."""

    codes: Codes
    harm: dict[Arm, Counter[tuple[str, str]]]


def read_outcomes(folder: Path) -> Outcomes:
    """One pass over trials, one over verdicts; a byte per trial and judge is kept."""
    plan = read_plan(folder)
    grid = Grid.of(plan)
    ran, clips = _trials(folder, grid)
    said = _verdicts(folder, grid, ran)
    silent = {j.name for j in plan.judges} - {judge for judge, _ in said}
    said |= {(judge, ""): _Said({}, {}) for judge in sorted(silent)}  # in the table all the same: not scored
    versions = Counter(judge for judge, _ in said)
    labels = {(j, version): j if versions[j] == 1 else f"{j}@{version}" for j, version in said}
    table: dict[View, dict[str, Column[Outcome]]] = defaultdict(dict)
    harm: dict[View, dict[str, Counter[tuple[str, str]]]] = defaultdict(dict)
    for (world, policy), own in ran.items():
        for (judge, version), words in said.items():
            view = View(world, labels[judge, version])
            codes = words.codes.get((world, policy), np.zeros_like(own))
            table[view][policy] = Column(grid, np.where((own == NOT_SCORED) & (codes > 0), codes, own), OUTCOMES)
            harm[view][policy] = words.harm.get((world, policy), Counter())
    n_trials = sum(int(np.count_nonzero(codes)) for codes in ran.values())
    kept = {arm: Column(grid, codes, (True,)) for arm, codes in clips.items()}
    whole = {**table, **_with_scripts(plan, table)}
    return Outcomes(plan, whole, harm, n_trials, kept, _errors(folder, plan, labels, whole))


def _errors(folder: Path, plan: Plan, labels: Mapping[Version, str], views: Iterable[View]) -> dict[View, Erring]:
    known, versions = known_errors(folder), {label: version for version, label in labels.items()}
    found = {view: erring(known, versions[view.judge], view.world, plan) for view in views}
    return {view: counted for view, counted in found.items() if counted is not None}


def _trials(folder: Path, grid: Grid) -> tuple[Codes, Codes]:
    """Outcomes as far as they are known without a judge; and where there are clips."""
    ran: Codes = defaultdict(lambda: np.zeros(len(grid), np.uint8))
    clips: Codes = defaultdict(lambda: np.zeros(len(grid), np.uint8))
    for trial in TRIALS.read(folder):
        arm, index = (trial.key.world, trial.key.policy), _index(folder, grid, trial.key)
        ran[arm][index] = _code(outcome_of(trial, None))
        clips[arm][index] = trial.clip is not None
    return ran, clips


def _verdicts(folder: Path, grid: Grid, ran: Codes) -> dict[tuple[str, str], _Said]:
    """By judge and version; a verdict whose trial is not recorded does not count."""
    found: dict[tuple[str, str], _Said] = {}
    for record in VERDICTS.read(folder):
        key, verdict = record.key, record.verdict
        said = found.setdefault((verdict.judge, verdict.judge_version), _Said({}, defaultdict(Counter)))
        arm, index = (key.world, key.policy), _index(folder, grid, key)
        if arm in ran and ran[arm][index]:
            said.codes.setdefault(arm, np.zeros(len(grid), np.uint8))[index] = _code(outcome_said(verdict))
            said.harm[arm].update((key.edit, name) for name in verdict.harm)
    return found


def _index(folder: Path, grid: Grid, key: TrialKey) -> int:
    index = grid.index((key.scene, key.edit, key.replicate))
    if index is None:
        raise ReverieError(f"{folder}: a record of {key.id} is no part of the run's plan; was plan.json replaced?")
    return index


def _with_scripts(
    plan: Plan, table: Mapping[View, Mapping[str, Column[Outcome]]]
) -> dict[View, dict[str, Column[Outcome]]]:
    """Scripts cannot see a world that measures nothing; their replayed trials there stand beside the policies' own."""
    scripts = {s.name for s in plan.replayed_only}
    united: dict[View, dict[str, Column[Outcome]]] = {}
    for view, rows in table.items():
        replayed = table.get(View(view.world + REPLAY, view.judge), {})
        if scripts & replayed.keys():
            mine = {p: cells for p, cells in replayed.items() if p in scripts}
            united[View(view.world + SCRIPTS, view.judge)] = {**rows, **mine}
    return united
