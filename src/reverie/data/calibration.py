"""What was fitted of a data set's cameras: a file in its own meta/ folder, which the reader lays over the recording.

Rows and pictures stay as they were recorded. Every episode then has the extra `camera_matrices` [F, cameras, 3, 4], as collected
data have it. The file holds the robot too, so that a camera that rides on a link is known in every frame.
"""

import json
from dataclasses import replace
from pathlib import Path

from reverie.calibration.calibration import MATRICES, Calibration
from reverie.core import Observations, ObservationSpec, ReverieError
from reverie.core.files import write_text
from reverie.data.metadata import read_json

FILE = "meta/reverie_calibration.json"
VERSION = 1


def laid_over(seen: Observations, calibration: Calibration | None, spec: ObservationSpec) -> Observations:
    """Of one episode, with its matrices."""
    if calibration is None:
        return seen
    return replace(seen, extras={**seen.extras, MATRICES: calibration.matrices(seen, spec)})


def with_matrices(spec: ObservationSpec) -> ObservationSpec:
    return replace(spec, extras=tuple(dict.fromkeys((*spec.extras, MATRICES))))


def write_calibration(root: Path, calibration: Calibration) -> Path:
    """Replaces an earlier one."""
    write_text(root / FILE, json.dumps({"v": VERSION, **calibration.to_dict()}, indent=1, allow_nan=False) + "\n")
    return root / FILE


def read_calibration(root: Path) -> Calibration | None:
    """None where nothing was fitted."""
    path = root / FILE
    if not path.is_file():
        return None
    try:
        return Calibration.from_dict(read_json(path, "calibrate again"))
    except (KeyError, TypeError, ValueError) as error:
        raise ReverieError(f"{path}: found no calibration ({error!r}): delete it, or calibrate again") from None
