"""A robot given as a file, URDF or MJCF: where its links are for joint values. Of its shapes only primitives are kept, no meshes.

Positions are in the frame of the file's world: a robot's base stands where the file puts it.
"""

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError, unknown_name

Array = NDArray[np.float64]
PRIMITIVES = tuple(
    getattr(mujoco.mjtGeom, f"mjGEOM_{kind}") for kind in ("SPHERE", "CAPSULE", "ELLIPSOID", "CYLINDER", "BOX")
)
_MASS, _INERTIA = 1e-3, 1e-6  # what moves must weigh something to be compiled; nothing falls here


class RobotFile:
    """`load` reads a file, `from_xml` what `xml` gave. Names of links are those of MJCF's bodies, or of sites."""

    def __init__(self, spec: Any, where: str) -> None:
        self.where = where
        for geom in list(spec.geoms):
            geom.material = ""
            if geom.type not in PRIMITIVES:
                spec.delete(geom)
        for kind in ("skins", "pairs", "meshes", "hfields", "materials", "textures"):
            for part in list(getattr(spec, kind)):
                spec.delete(part)
        spec.compiler.fusestatic = False  # links that are fixed to others keep their names
        spec.compiler.boundmass, spec.compiler.boundinertia = _MASS, _INERTIA
        try:
            self._model = spec.compile()
        except ValueError as error:
            raise ReverieError(
                f"{where}: found a robot that cannot be built ({_line(error)}); correct the file"
            ) from None
        self._data = mujoco.MjData(self._model)
        self.xml: str = spec.to_xml()

    @classmethod
    def load(cls, path: Path) -> "RobotFile":
        """Errors: ReverieError for a file that is neither URDF nor MJCF."""
        if not path.is_file():
            raise ReverieError(f"{path}: found no such file, expected a robot as URDF or MJCF")
        try:
            return cls(mujoco.MjSpec.from_file(str(path)), str(path))
        except ValueError as error:
            raise ReverieError(f"{path}: found no robot ({_line(error)}), expected URDF or MJCF") from None

    @classmethod
    def from_xml(cls, xml: str, where: str) -> "RobotFile":
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(xml)
            file.flush()
            robot = cls.load(Path(file.name))
        robot.where = where
        return robot

    @cached_property
    def links(self) -> list[str]:
        """Bodies and sites, in the order of the file."""
        bodies = [self._model.body(i).name for i in range(1, self._model.nbody)]
        return list(
            dict.fromkeys(bodies + [name for i in range(self._model.nsite) if (name := self._model.site(i).name)])
        )

    def chain(self, link: str) -> tuple[str, ...]:
        """Joints between the base and a link, from the base on. Errors: ReverieError for an unknown link, and for joints
        that are told by more than one number."""
        if link not in self.links:
            raise unknown_name(f"link or site of {self.where}", link, self.links)
        body, found = self._body_of(link), list[str]()
        while body:
            first, n = int(self._model.body_jntadr[body]), int(self._model.body_jntnum[body])
            found = [self._model.joint(i).name for i in range(first, first + n)] + found
            body = int(self._model.body_parentid[body])
        one_number = (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE))
        if odd := [name for name in found if int(self._model.joint(name).type[0]) not in one_number]:
            raise ReverieError(f"{self.where}: joint {odd[0]!r} neither turns about an axis nor slides: give a file in which the base stands still")  # fmt: skip
        return tuple(found)

    def poses(self, link: str, joints: Array) -> Array:
        """Values [N, J] of `chain(link)`, in radians and metres -> the link's poses [N, 4, 4]."""
        address = [int(self._model.joint(name).qposadr[0]) for name in self.chain(link)]
        poses = np.tile(np.eye(4), (len(joints), 1, 1))
        for pose, values in zip(poses, joints, strict=True):
            self._data.qpos[address] = values
            mujoco.mj_kinematics(self._model, self._data)
            pose[:3, :3], pose[:3, 3] = self._placed(link)
        return poses

    def _placed(self, link: str) -> tuple[Array, Array]:
        at = self._data.body(link) if self._is_body(link) else self._data.site(link)
        return at.xmat.reshape(3, 3), at.xpos

    def _body_of(self, link: str) -> int:
        return int(self._model.body(link).id if self._is_body(link) else self._model.site(link).bodyid[0])

    def _is_body(self, link: str) -> bool:
        return bool(mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_BODY, link) >= 0)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
