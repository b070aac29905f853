"""Entrants: policies as they ran, in one run or in two, seen in one view, ready to be compared.

Reads records and says what makes two runs unlike; computes nothing. Outcomes are kept by what a scene is, not by its name,
so that only the same scene, edit and replicate are ever paired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reverie.core import Outcome, ReverieError, content_hash, unknown_name
from reverie.evaluation.blocks import REPLAY, SCRIPTS, edit_of
from reverie.evaluation.cells import Cell, Column, Grid
from reverie.evaluation.judge_errors import Erring
from reverie.evaluation.outcomes import OUTCOMES, Outcomes, View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import scored


@dataclass(frozen=True)
class Entrant:
    """One policy of one run. `planned`: the cells of its trials in the plan's order; `cells`: outcomes of those that ran."""

    name: str
    policy: str
    run: int
    planned: tuple[Cell, ...]
    cells: Mapping[Cell, Outcome]

    @property
    def finished(self) -> bool:
        return all(cell in self.cells for cell in self.planned)


@dataclass(frozen=True)
class Entrants:
    """Those that are compared, in the order asked for, in `view`; notes say what is not alike between two runs. errors: how
    often the view's judge errs, the same in all runs; None where that is not known."""

    view: View
    policies: tuple[Entrant, ...]
    notes: tuple[str, ...] = ()
    errors: Erring | None = None


def entrants(
    runs: Sequence[Path], policies: Sequence[str] = (), world: str | None = None, judge: str | None = None
) -> Entrants:
    """All policies of one or two runs, or those named (`act`, or `act@RUN` where both runs have one), on scenes as they are:
    edited ones count only in a run that has no others.

    The view is the first run's truth, or what `world` and `judge` ask for. Raises ReverieError for names and views that
    are not there.
    """
    if not 1 <= len(runs) <= 2:
        raise ReverieError(f"found {len(runs)} runs, expected one or two")
    tables = [read_outcomes(run).nominal for run in runs]
    view = view_of(tables[0], runs[0], world, judge)
    for table, run in zip(tables[1:], runs[1:], strict=True):
        view_of(table, run, view.world, view.judge)
    found = _named([_entrants(table, view, number) for number, table in enumerate(tables)], runs)
    return Entrants(view, _chosen(found, policies), tuple(_unlike(tables, view)), _errors(tables, view))


def in_view(table: Outcomes, view: View) -> Entrants:
    """All policies of one run, from records that were read already."""
    return Entrants(view, tuple(_entrants(table, view, 0)), (), _errors([table], view))


def main_view(table: Outcomes) -> View | None:
    """The view by which policies are ranked: the truth, else the first in which anything was scored; None where nothing
    was (recordings without labels)."""
    views = [v for v, rows in table.outcomes.items() if any(scored(cells) for cells in rows.values())]
    return table.truth if table.truth in views else next(iter(views), None)


def view_of(table: Outcomes, run: Path, world: str | None, judge: str | None) -> View:
    """The main view, or the first that has this world and this judge; the truth's judge goes first."""
    main, truth = main_view(table), table.truth
    if main is not None and world in (None, main.world) and judge in (None, main.judge):
        return main
    fitting = [v for v in table.outcomes if world in (None, v.world) and judge in (None, v.judge)]
    if not fitting:
        there = "; ".join(f"{v.world}, {v.judge}" for v in table.outcomes) or "none"
        raise ReverieError(
            f"{run}: no trials of world {world or 'any'} judged by {judge or 'any'}; it has (world, judge): {there}"
        )
    by_truth = [v for v in fitting if truth is not None and v.judge == truth.judge and _scores(table, v)]
    return next(iter(by_truth + [v for v in fitting if _scores(table, v)]), fitting[0])


def _scores(table: Outcomes, view: View) -> bool:
    return any(scored(cells) for cells in table.outcomes[view].values())


def planned_cells(plan: Plan) -> tuple[Cell, ...]:
    """The cells of every policy in a world, in the plan's order, by scene id."""
    return tuple((s.id, edit_of(s), r) for r in range(plan.replicates) for s in plan.scenes)


def _entrants(table: Outcomes, view: View, run: int) -> list[Entrant]:
    rows = table.outcomes[view]
    contents = {s.id: content_hash(s.to_dict()) for s in table.plan.scenes}
    planned = tuple((contents[s], edit, r) for s, edit, r in planned_cells(table.plan))
    grid = Grid(tuple((contents[s.id], edit_of(s)) for s in table.plan.scenes), table.plan.replicates)
    nothing = Column(grid, np.zeros(len(grid), np.uint8), OUTCOMES)
    everywhere = {p.name for p in table.plan.policies}
    return [
        Entrant(name, name, run, planned, rows[name].renumbered(grid) if name in rows else nothing)
        for name in table.policies
        if name in rows or name in everywhere
    ]


def _named(found: Sequence[Sequence[Entrant]], runs: Sequence[Path]) -> list[Entrant]:
    """Names that both runs have get their run's: its folder, or its number where the folders are called the same."""
    folders = [run.resolve().name for run in runs]
    labels = folders if len(set(folders)) == len(folders) else [str(n) for n in range(1, len(folders) + 1)]
    names = [e.policy for side in found for e in side]
    return [
        Entrant(f"{e.policy}@{label}" if names.count(e.policy) > 1 else e.policy, e.policy, e.run, e.planned, e.cells)
        for side, label in zip(found, labels, strict=True)
        for e in side
    ]


def _chosen(found: list[Entrant], policies: Sequence[str]) -> tuple[Entrant, ...]:
    chosen: dict[str, Entrant] = {}
    for name in policies:
        fitting = [e for e in found if name in (e.name, e.policy)]
        if not fitting:
            raise unknown_name("policy", name, sorted({n for e in found for n in (e.name, e.policy)}))
        chosen |= {e.name: e for e in fitting}
    return tuple(chosen.values() if policies else found)


def _errors(tables: Sequence[Outcomes], view: View) -> Erring | None:
    """Those that all tables agree on: a correction must be common to all that are compared."""
    first, *others = (table.errors.get(view) for table in tables)
    return first if all(other == first for other in others) else None


def _unlike(tables: Sequence[Outcomes], view: View) -> list[str]:
    """What else than the policies may have made a difference between two runs."""
    if len(tables) < 2:
        return []
    first, second = (t.plan for t in tables)
    notes = []
    world = view.world.removesuffix(REPLAY).removesuffix(SCRIPTS)
    for what, name, one, two in (("world", world, first.worlds, second.worlds), ("judge", view.judge, first.judges, second.judges)):  # fmt: skip
        left, right = ({e.name: e.fingerprint for e in side}.get(name) for side in (one, two))
        if left != right:
            notes.append(
                f"the {what} {name} is not the same in both runs ({left} and {right}): a difference may be its own"
            )
    if len({table.errors.get(view) for table in tables}) > 1:
        notes.append(f"{view.judge} does not err alike in both runs, as far as it says: nothing is corrected for it")
    if first.n_steps != second.n_steps:
        notes.append(f"trials have {first.n_steps} steps in one run and {second.n_steps} in the other")
    return notes
