"""Logged real trials beside a run: a CSV file with columns policy, success, scene or task, optional replicate.

Names are the run's: an unknown one is refused with the nearest. A trial with a scene can be paired with what was dreamt
there; one with a task only cannot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reverie.core import ReverieError, unknown_name
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.rate_table import read_lines, whole_number
from reverie.evaluation.rates import scored

REQUIRED = ("policy", "success")
KNOWN = (*REQUIRED, "scene", "task", "replicate")


@dataclass(frozen=True)
class RealTrial:
    """One trial. `scene` is None where only the task is known."""

    policy: str
    task: str
    success: bool
    scene: str | None = None
    replicate: int | None = None


def read_trials(path: Path, table: Outcomes) -> tuple[RealTrial, ...]:
    """The trials in order. Raises ReverieError naming the file and the line."""
    tasks = {s.id: s.task for s in table.plan.scenes}
    found, seen = [], dict[tuple[str, str, int], int]()
    for line, fields in read_lines(path, REQUIRED, KNOWN):
        trial = _trial(path, line, fields, table.policies, tasks)
        if trial.scene is not None and trial.replicate is not None:
            first = seen.setdefault((trial.policy, trial.scene, trial.replicate), line)
            if first != line:
                raise ReverieError(
                    f"{path}, lines {first} and {line}: two outcomes of replicate {trial.replicate} of {trial.policy!r} in "
                    f"{trial.scene!r}; keep one, or number the replicates"
                )
        found.append(trial)
    if not found:
        raise ReverieError(f"{path}: found no trials below the header; give one row per real trial")
    return tuple(found)


def recorded_trials(table: Outcomes, truth: View) -> tuple[RealTrial, ...]:
    """What the run itself holds as the truth."""
    tasks = {s.id: s.task for s in table.plan.scenes}
    return tuple(
        RealTrial(policy, tasks[scene], success, scene, replicate)
        for policy, cells in table.outcomes[truth].items()
        for (scene, _, replicate), success in scored(cells).items()
    )


def _trial(
    path: Path, line: int, fields: Mapping[str, str], policies: Sequence[str], tasks: Mapping[str, str]
) -> RealTrial:
    scene, task = fields.get("scene") or None, fields.get("task") or None
    known = [("policy", fields["policy"], list(policies)), ("scene", scene, list(tasks))]
    for what, name, names in (*known, ("task", task, sorted(set(tasks.values())))):
        if name is not None and name not in names:
            raise ReverieError(f"{path}, line {line}: {unknown_name(what, name, names)}")
    if scene is None and task is None:
        raise ReverieError(f"{path}, line {line}: found neither scene nor task; give the scene (or at least the task)")
    if scene is not None and task not in (None, tasks[scene]):
        raise ReverieError(f"{path}, line {line}: scene {scene!r} is of task {tasks[scene]!r}, found task {task!r}")
    if fields["success"] not in ("0", "1"):
        raise ReverieError(
            f"{path}, line {line}: success is {fields['success']!r}, expected 0 or 1; leave out trials without an outcome"
        )
    replicate = fields.get("replicate")
    return RealTrial(
        fields["policy"],
        tasks[scene] if scene else str(task),
        fields["success"] == "1",
        scene,
        whole_number(path, line, "replicate", replicate, 0) if replicate else None,
    )
