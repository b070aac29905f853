"""FileRobot: an arm given as a file whose cameras were calibrated, commanded by its joints: the pose map works for it.

Its commanded state begins as the tabletop's does (tool pose, opening), so that all that is known from poses works alike, and goes
on with the actions' own numbers. `tool` is what was clicked when it was calibrated.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.calibration import Calibration
from reverie.calibration.camera import FittedCamera
from reverie.calibration.pose_map import FilePoseMap
from reverie.core import ActionSpec, Observations, ObservationSpec, ReverieError, Scene
from reverie.core.rotations import matrix_to_quat
from reverie.embodiments import generic, panda
from reverie.embodiments.cameras import Camera, projection
from reverie.world_model.conditioning import Conditioner, Conditioning, Frames, Rig

Array = NDArray[np.float64]
POSE_NAMES = (*panda.STATE_NAMES[:7], "opening")
COMMANDS = len(POSE_NAMES)
"""From here on a state has the actions' own numbers."""
_CENTRED_PX = 0.5


class FileRobot:
    """Errors: ReverieError, saying what to do instead, for cameras that were not calibrated or commands that are no joints'."""

    logged = False
    commands_at = COMMANDS

    def __init__(self, calibration: Calibration, action_spec: ActionSpec, spec: ObservationSpec) -> None:
        self._calibration, self._spec, self._robot = calibration, action_spec, calibration.robot_file
        self.state_names = (*POSE_NAMES, *(f"commanded {n}" for n in action_spec.names))
        self._joints = _joint_commands(calibration, action_spec)
        self._check_known(spec)
        self._rig = tuple(self._camera(c.name, c.height, c.width) for c in spec.cameras)
        places = [COMMANDS + i for i in self._joints]
        pose_map = FilePoseMap(self._robot, calibration.link, self._rig, places, calibration.joints.degrees)
        self.conditioner = Conditioner(pose_map, self._rig)

    def _check_known(self, spec: ObservationSpec) -> None:
        if self._spec.names not in (spec.commanded, spec.measured):
            raise ReverieError(
                f"commands are {', '.join(self._spec.names)}, and no part of the state has these names: nobody knows where the robot "
                "begins; train with --robot generic"
            )

    def _camera(self, name: str, height: int, width: int) -> Camera:
        fitted = next((c for c in self._calibration.cameras if c.name == name), None)
        if fitted is None:
            raise ReverieError(
                f"camera {name!r} is not calibrated: reverie data calibrate it too, or train with --robot generic"
            )
        off = np.abs(fitted.intrinsics[:2, 2] - [(width - 1) / 2, (height - 1) / 2]).max()
        if off > _CENTRED_PX:
            raise ReverieError(f"camera {name!r}: its principal point is {off:.1f} px off the middle, which is not drawn; train with --robot generic")  # fmt: skip
        pose = self._rigid(fitted) @ fitted.pose if fitted.on else fitted.pose
        (x, y, z), ahead, up = pose[:3, 3], pose[:3, 3] + pose[:3, 2], -pose[:3, 1]
        fovy = 2 * float(np.arctan(height / 2 / fitted.intrinsics[1, 1]))
        return Camera(name, (x, y, z), tuple(ahead), tuple(up), fovy, height, width, "tcp" if fitted.on else "base")

    def _rigid(self, camera: FittedCamera) -> Array:
        """[4, 4]: from the link that a camera rides on to the tool's; they must move as one."""
        link, on = self._calibration.link, str(camera.on)
        if self._robot.chain(on) != self._robot.chain(link):
            raise ReverieError(
                f"camera {camera.name!r} rides on {on!r}, which moves against {link!r}: train with --robot generic"
            )
        rest = np.zeros((1, len(self._robot.chain(link))))
        return np.asarray(np.linalg.inv(self._robot.poses(link, rest)[0]) @ self._robot.poses(on, rest)[0])

    def begin(self, first: Observations) -> Array:
        for known in (first.commanded, first.measured):
            if known is not None and known.shape[-1] == self._spec.action_dim:
                return self._state(np.asarray(known, np.float64))
        raise ReverieError("the first observation has no state with the numbers of a command: cannot begin")

    def integrate(self, commanded: Array, actions: NDArray[np.float32]) -> Array:
        return self._state(generic.integrate(self._spec, commanded[:, COMMANDS:], actions))

    def _state(self, commands: Array) -> Array:
        """[B, A] -> [B, 8 + A]"""
        joints = commands[:, self._joints]
        poses = self._robot.poses(
            self._calibration.link, np.deg2rad(joints) if self._calibration.joints.degrees else joints
        )
        opening = _opening(self._spec, commands)
        return np.concatenate([poses[:, :3, 3], matrix_to_quat(poses[:, :3, :3]), opening[:, None], commands], axis=1)

    def condition(self, frames: Frames, new: NDArray[np.float32]) -> Conditioning | None:
        return self.conditioner(frames, new)

    def rigs(self, scenes: Sequence[Scene]) -> tuple[Rig, ...] | None:
        return (self._rig,) * len(scenes)

    @property
    def rig(self) -> Rig | None:
        return self._rig

    def camera_matrices(self, states: Array, rigs: Sequence[Rig] | None) -> NDArray[np.float32] | None:
        tool = panda.pose_of(states)
        return np.stack([projection(c, tool) for c in self._rig], axis=1).astype(np.float32)

    @property
    def described(self) -> dict[str, Any]:
        return self._calibration.to_dict()


def _joint_commands(calibration: Calibration, spec: ActionSpec) -> list[int]:
    names = calibration.joints.names(calibration.robot_file.chain(calibration.link))
    if missing := [name for name in names if name not in spec.names]:
        raise ReverieError(
            f"commands are {', '.join(spec.names)}, without the joints {', '.join(missing)}: the pose map is drawn from commanded "
            "joints; train with --robot generic"
        )
    return [spec.names.index(name) for name in names]


def _opening(spec: ActionSpec, commands: Array) -> Array:
    """[B], 0 closed to 1 open; open where there is no gripper."""
    place = next((i for i, name in enumerate(spec.names) if "gripper" in name), None)
    if place is None or spec.gripper == "none":
        return np.ones(len(commands))
    low, high = (v[place] if v is not None else d for v, d in ((spec.low, 0.0), (spec.high, 1.0)))
    share = np.clip((commands[:, place] - low) / (high - low), 0, 1)
    return np.asarray(share if spec.gripper == "closed0_open1" else 1 - share)
