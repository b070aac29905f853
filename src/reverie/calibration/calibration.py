"""Calibration: a robot given as a file, which numbers of the data are its joints, and where its cameras stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.camera import FittedCamera
from reverie.core import Observations, ObservationSpec, ReverieError

if TYPE_CHECKING:
    from reverie.calibration.robot_file import RobotFile

MATRICES = "camera_matrices"


@dataclass(frozen=True)
class Joints:
    """Which number of the data each joint of a robot is: `columns` maps its name to a name of the state, or to "EXTRA[3]". In
    radians and metres, or degrees."""

    columns: Mapping[str, str]
    degrees: bool = False

    def values(self, chain: Sequence[str], seen: Observations, spec: ObservationSpec) -> NDArray[np.float64]:
        """[F, J] of these joints. Errors: ReverieError for a joint that the data do not have."""
        found = [_column(name, seen, spec) for name in self.names(chain)]
        values = np.stack(found, axis=1).astype(np.float64) if found else np.zeros((len(seen.time_s), 0))
        return np.deg2rad(values) if self.degrees else values

    def names(self, chain: Sequence[str]) -> list[str]:
        if missing := [name for name in chain if name not in self.columns]:
            raise ReverieError(f"the data do not say where {', '.join(missing)} are: name the columns with --joints")
        return [self.columns[name] for name in chain]


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
        from reverie.calibration.robot_file import RobotFile  # MuJoCo: only where links are asked for

        return RobotFile.from_xml(self.robot, "the calibration's robot")

    def matrices(self, seen: Observations, spec: ObservationSpec) -> NDArray[np.float32]:
        """[F, cameras, 3, 4], in the order of the spec; as recorded, or not a number, for cameras that were not fitted."""
        n, recorded = len(seen.time_s), seen.extras.get(MATRICES)
        found = np.full((n, len(spec.cameras), 3, 4), np.nan, np.float32) if recorded is None else recorded.copy()
        for camera in self.cameras:
            poses = np.tile(np.eye(4), (n, 1, 1))
            if camera.on is not None:
                chain = self.robot_file.chain(camera.on)
                poses = self.robot_file.poses(camera.on, self.joints.values(chain, seen, spec))
            found[:, spec.camera_names.index(camera.name)] = camera.matrices(poses)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; `from_dict` reads it back."""
        return {
            "link": self.link,
            "point": list(self.point),
            "joints": dict(self.joints.columns),
            "degrees": self.joints.degrees,
            "cameras": [c.to_dict() | {"about": dict(self.about.get(c.name, {}))} for c in self.cameras],
            "robot": self.robot,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Calibration":
        x, y, z = value["point"]
        cameras = tuple(FittedCamera.from_dict(c) for c in value["cameras"])
        about = {c["name"]: c["about"] for c in value["cameras"]}
        joints = Joints(value["joints"], value["degrees"])
        return cls(value["robot"], value["link"], (x, y, z), joints, cameras, about)
