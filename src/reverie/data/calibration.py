"""What was fitted of a data set's cameras: a file in its own meta/ folder, which the reader lays over the recording.

Rows and pictures stay as they were recorded. Every episode then has the extra `camera_matrices` [F, cameras, 3, 4], as collected
data have it: not a number for cameras that were neither fitted nor recorded with one. The file holds the robot too (its joints
and links, no shapes), so that a camera that rides on a link is known in every frame.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.camera import FittedCamera
from reverie.core import Observations, ObservationSpec, ReverieError
from reverie.core.files import write_text
from reverie.data.metadata import read_json

if TYPE_CHECKING:
    from reverie.calibration.robot_file import RobotFile

FILE = "meta/reverie_calibration.json"
VERSION = 1
MATRICES = "camera_matrices"


@dataclass(frozen=True)
class Joints:
    """Which number of the data each joint of a robot is: `columns` maps its name to a name of the state, or to "EXTRA[3]". In
    radians and metres, or degrees."""

    columns: Mapping[str, str]
    degrees: bool = False

    def values(self, chain: Sequence[str], seen: Observations, spec: ObservationSpec) -> NDArray[np.float64]:
        """[F, J] of these joints. Errors: ReverieError for a joint that the data do not have."""
        if missing := [name for name in chain if name not in self.columns]:
            raise ReverieError(f"the data do not say where {', '.join(missing)} are: name the columns with --joints")
        found = [_column(self.columns[name], seen, spec) for name in chain]
        values = np.stack(found, axis=1).astype(np.float64) if found else np.zeros((len(seen.time_s), 0))
        return np.deg2rad(values) if self.degrees else values


def columns_of(spec: ObservationSpec, seen: Observations) -> list[str]:
    """Every number of a frame that a joint may be: measured before commanded, then rows of numbers among the extras."""
    rows = {k: v.shape[1] for k, v in seen.extras.items() if v.ndim == 2 and v.dtype.kind == "f"}
    unnamed = [f"measured[{i}]" for i in range(_width(seen.measured))] if not spec.measured else []
    extras = [f"{name}[{i}]" for name, n in rows.items() for i in range(n)]
    return list(dict.fromkeys([*spec.measured, *unnamed, *spec.commanded, *extras]))


def _width(values: NDArray[np.float32] | None) -> int:
    return 0 if values is None else values.shape[-1]


def _column(name: str, seen: Observations, spec: ObservationSpec) -> NDArray[Any]:
    for names, values in ((spec.measured, seen.measured), (spec.commanded, seen.commanded)):
        if values is not None and name in names:
            return values[:, names.index(name)]
    extra, _, number = name.removesuffix("]").partition("[")
    table = seen.measured if extra == "measured" else seen.extras.get(extra)
    if table is None or not number.isdigit() or int(number) >= table.shape[1]:
        raise ReverieError(f"found no number {name!r} in the data; known: {', '.join(columns_of(spec, seen))}")
    return table[:, int(number)]


@dataclass(frozen=True)
class Calibration:
    """robot: as `RobotFile.xml`. link and point [3]: what was clicked, in metres in the link's frame. about: of each camera, what
    its fit was like."""

    robot: str
    link: str
    point: tuple[float, float, float]
    joints: Joints
    cameras: tuple[FittedCamera, ...]
    about: Mapping[str, Mapping[str, Any]]

    @cached_property
    def robot_file(self) -> "RobotFile":
        from reverie.calibration.robot_file import RobotFile  # MuJoCo: only where a camera rides on a link

        return RobotFile.from_xml(self.robot, FILE)

    def matrices(self, seen: Observations, spec: ObservationSpec) -> NDArray[np.float32]:
        """[F, cameras, 3, 4], in the order of the spec."""
        n, recorded = len(seen.time_s), seen.extras.get(MATRICES)
        found = np.full((n, len(spec.cameras), 3, 4), np.nan, np.float32) if recorded is None else recorded.copy()
        for camera in self.cameras:
            poses = np.tile(np.eye(4), (n, 1, 1))
            if camera.on is not None:
                chain = self.robot_file.chain(camera.on)
                poses = self.robot_file.poses(camera.on, self.joints.values(chain, seen, spec))
            found[:, spec.camera_names.index(camera.name)] = camera.matrices(poses)
        return found

    def laid_over(self, seen: Observations, spec: ObservationSpec) -> Observations:
        return replace(seen, extras={**seen.extras, MATRICES: self.matrices(seen, spec)})


def with_matrices(spec: ObservationSpec) -> ObservationSpec:
    return replace(spec, extras=tuple(dict.fromkeys((*spec.extras, MATRICES))))


def write_calibration(root: Path, calibration: Calibration) -> Path:
    """Replaces an earlier one."""
    value = {
        "v": VERSION,
        "link": calibration.link,
        "point": list(calibration.point),
        "joints": dict(calibration.joints.columns),
        "degrees": calibration.joints.degrees,
        "cameras": [c.to_dict() | {"about": dict(calibration.about.get(c.name, {}))} for c in calibration.cameras],
        "robot": calibration.robot,
    }
    write_text(root / FILE, json.dumps(value, indent=1, allow_nan=False) + "\n")
    return root / FILE


def read_calibration(root: Path) -> Calibration | None:
    """None where nothing was fitted."""
    path = root / FILE
    if not path.is_file():
        return None
    value = read_json(path, "calibrate again")
    try:
        return Calibration(
            value["robot"],
            value["link"],
            tuple(value["point"]),
            Joints(value["joints"], value["degrees"]),
            tuple(FittedCamera.from_dict(c) for c in value["cameras"]),
            {c["name"]: c["about"] for c in value["cameras"]},
        )
    except (KeyError, TypeError) as error:
        raise ReverieError(f"{path}: found no calibration ({error!r}): delete it, or calibrate again") from None
