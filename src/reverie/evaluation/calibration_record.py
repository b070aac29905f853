"""calibration.json: the real trials that `reverie calibrate` was given, and what they were held against.

It holds the question, not the answer: the numbers are computed anew from this and the run's records, so that they are those of
the run as it is now. Trials that are the run's own truth are not repeated here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reverie.core import ReverieError
from reverie.core.files import write_text
from reverie.evaluation.calibrate import Calibration, calibrate
from reverie.evaluation.outcomes import Outcomes, View
from reverie.evaluation.real_trials import RealTrial, recorded_trials

FILE = "calibration.json"


@dataclass(frozen=True)
class Asked:
    """Real trials (None: the run's own truth) for a dreamt view; `source` is where they were read. n_more, target: of the plan
    for the next ones."""

    view: View
    source: str
    trials: tuple[RealTrial, ...] | None
    n_more: int = 20
    target: float = 0.1


def answer(table: Outcomes, asked: Asked, where: Path) -> Calibration:
    """Raises ReverieError, naming `where`, for a run that has no truth of its own though that was asked for, or no such view."""
    if asked.view not in table.outcomes:
        raise ReverieError(f"{where}: no trials of world {asked.view.world} judged by {asked.view.judge}")
    return calibrate(table, asked.view, _trials(table, asked, where), asked.n_more, asked.target)


def _trials(table: Outcomes, asked: Asked, where: Path) -> Sequence[RealTrial]:
    if asked.trials is not None:
        return asked.trials
    if table.truth is None or table.truth not in table.outcomes:
        raise ReverieError(f"{where}: this run has no truth; give real trials (--real trials.csv)")
    return recorded_trials(table, table.truth)


def write_asked(folder: Path, asked: Asked) -> Path:
    """The last one asked is kept."""
    path = folder / FILE
    write_text(path, json.dumps({"v": 1, **asdict(asked)}, indent=1) + "\n")
    return path


def read_calibration(folder: Path, table: Outcomes) -> tuple[Asked, Calibration] | None:
    """What was asked and what that says now; None where nothing was. Raises ReverieError for a record that is damaged or
    does not fit the run any more."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        asked = _asked(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        raise ReverieError(f"{path}: not a calibration record ({error!r}); run reverie calibrate again") from None
    scenes = {s.id for s in table.plan.scenes}
    for trial in asked.trials or ():
        if trial.policy not in table.policies or (trial.scene is not None and trial.scene not in scenes):
            raise ReverieError(
                f"{path}: the run has no policy {trial.policy!r} in scene {trial.scene!r} any more; run reverie calibrate again"
            )
    return asked, answer(table, asked, path)


def _asked(value: dict[str, Any]) -> Asked:
    fields = {name: content for name, content in value.items() if name != "v"}
    view, trials = fields.pop("view"), fields.pop("trials")
    if value["v"] != 1 or not isinstance(view, dict):
        raise ValueError(f"v {value['v']!r} with view {view!r}, expected v 1")
    told = None if trials is None else tuple(RealTrial(**t) for t in trials)
    return Asked(View(**view), trials=told, **fields)
