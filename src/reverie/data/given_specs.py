"""What a person says that a stranger's data set means: a JSON file with what no feature tells.

    {"action_spec": {"units": ["m", "m", "1"], "modes": ["delta", "delta", "absolute"], "frame": "base",
                     "rotation": "none", "gripper": "closed0_open1"}}

`names` and `control_hz` may be added; they and the observations ("observation_spec") default to what the features tell.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from reverie.core import ActionSpec, ObservationSpec, ReverieError
from reverie.core.specs import Frame, Gripper, Mode, Rotation
from reverie.data.deduce import deduce_specs
from reverie.data.metadata import DatasetInfo, read_json

ASKED = {"modes": Mode, "frame": Frame, "rotation": Rotation, "gripper": Gripper}
OPEN = "?"


def read_specs(path: Path, info: DatasetInfo) -> tuple[ObservationSpec, ActionSpec]:
    """The specs of the data set with this `info`, as the file at `path` gives them.

    Errors: ReverieError for a file that lacks an answer, or contradicts the features.
    """
    value = read_json(path, 'write it, beginning with {"action_spec": ...}')
    known = ("action_spec", "observation_spec")
    if not isinstance(value, Mapping) or "action_spec" not in value or any(k not in known for k in value):
        raise ReverieError(
            f'{path}: found {str(value)[:80]}, expected {{"action_spec": {{...}}}} (and "observation_spec")'
        )
    seen, guessed = deduce_specs(info)
    facts = {"names": list(guessed.names), "control_hz": guessed.control_hz}
    given = value["action_spec"]
    action = ActionSpec.from_dict({**facts, **given} if isinstance(given, Mapping) else given, f"{path}, action_spec")
    if "observation_spec" in value:
        seen = ObservationSpec.from_dict(value["observation_spec"], f"{path}, observation_spec")
    if {"", OPEN} & set(action.units):
        raise ReverieError(
            f"{path}, action_spec: units are {list(action.units)}, expected one each, such as m, rad or 1"
        )
    if (action.action_dim, action.control_hz) != (guessed.action_dim, guessed.control_hz):
        raise ReverieError(
            f"{path}, action_spec: {action.action_dim} numbers at {action.control_hz:g} Hz, but info.json of the data set "
            f"has {guessed.action_dim} at {guessed.control_hz:g} Hz: give names for those, and leave out control_hz"
        )
    return seen, action


def question(info: DatasetInfo) -> str:
    """What to write into the file, with a "?" for every answer that only a person can give."""
    n = deduce_specs(info)[1].action_dim
    asked: dict[str, Any] = {"units": [OPEN] * n, **{k: [OPEN] * n if k == "modes" else OPEN for k in ASKED}}
    answers = "; ".join(f"{k}: {', '.join(get_args(words))}" for k, words in ASKED.items())
    return f"{json.dumps({'action_spec': asked})} with an answer for every {OPEN!r} (units: m, rad, 1 ...; {answers})"
