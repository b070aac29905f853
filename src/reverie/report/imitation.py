"""How well policies imitate held-out demonstrations, as their trainings measured it and left it beside the weights.

A small error says that demonstrations are imitated, not that a task succeeds; every family has its own loss, so that only
policies of one family compare.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from reverie.core import ReverieError
from reverie.evaluation.plan import Plan

FILE = "metrics.jsonl"
"""What a training writes, one line per validation."""
ENDING = "held_out/actions"


def held_out_errors(plan: Plan) -> Mapping[str, Mapping[str, float]]:
    """policy -> set of held-out rows -> error of its last validation; policies that left none are left out."""
    found = {p.name: _last_validation(Path(p.spec) / FILE) for p in plan.policies}
    return {name: errors for name, errors in found.items() if errors}


def _last_validation(path: Path) -> Mapping[str, float]:
    errors: dict[str, float] = {}
    for number, text in enumerate(path.read_text().splitlines() if path.is_file() else (), start=1):
        try:
            line = json.loads(text)
            mine = {k.removesuffix(f"/{ENDING}"): float(v) for k, v in line.items() if k.endswith(ENDING)}
        except (ValueError, AttributeError) as error:
            raise ReverieError(f"{path}, line {number}: not a line of a training ({error}); restore the file") from None
        errors = mine or errors
    return errors
