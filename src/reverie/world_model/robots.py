"""The robots a video world can drive: the calibrated tabletop arm, and any other, known by its action spec alone; or by a file, and
then calibrated too (`file_robot`)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reverie.calibration.calibration import Calibration
from reverie.core.errors import ReverieError, unknown_name
from reverie.core.observations import Observations
from reverie.core.scene import Scene
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.embodiments import generic, panda
from reverie.embodiments.drawing import PoseMap
from reverie.world_model.conditioning import Conditioner, Conditioning, Frames, Rig
from reverie.world_model.file_robot import FileRobot

Array = NDArray[np.float64]


class Robot(Protocol):
    """`state_names` of the commanded state [B, D]; `integrate` as in embodiments; `condition` None without calibration;
    `rigs` where cameras stand that were moved. conditioner: None without calibration; rig: where cameras stand while training,
    None where they stand as the tabletop's. logged: data hold its commanded state; commands_at: from where on a state has the
    actions' own numbers."""

    state_names: tuple[str, ...]
    logged: bool
    commands_at: int

    @property
    def conditioner(self) -> Conditioner | None: ...

    @property
    def rig(self) -> Rig | None: ...

    def begin(self, first: Observations) -> Array: ...

    def integrate(self, commanded: Array, actions: NDArray[np.float32]) -> Array: ...

    def condition(self, frames: Frames, new: NDArray[np.float32]) -> Conditioning | None: ...

    def rigs(self, scenes: Sequence[Scene]) -> tuple[Rig, ...] | None: ...

    def camera_matrices(self, states: Array, rigs: Sequence[Rig] | None) -> NDArray[np.float32] | None: ...


class PandaRobot:
    state_names = panda.STATE_NAMES
    logged, commands_at, rig = True, 0, None

    def __init__(self) -> None:
        self.conditioner = Conditioner(PoseMap(), panda.CAMERAS)

    def begin(self, first: Observations) -> Array:
        assert first.commanded is not None
        return np.asarray(first.commanded, np.float64)

    def integrate(self, commanded: Array, actions: NDArray[np.float32]) -> Array:
        return panda.integrate(commanded, actions)

    def condition(self, frames: Frames, new: NDArray[np.float32]) -> Conditioning | None:
        return self.conditioner(frames, new)

    def rigs(self, scenes: Sequence[Scene]) -> tuple[Rig, ...] | None:
        """What is told of each scene's cameras; None where nothing was moved."""
        told = tuple(panda.calibration_of(s.look) for s in scenes)
        return None if all(rig == panda.CAMERAS for rig in told) else told

    def camera_matrices(self, states: Array, rigs: Sequence[Rig] | None) -> NDArray[np.float32] | None:
        if rigs is None:
            return panda.camera_matrices(states)
        return np.concatenate([panda.camera_matrices(s[None], rig) for s, rig in zip(states, rigs, strict=True)])


class GenericRobot:
    """Starts from the logged commanded state (or measured, or zeros) cut to the length of an action."""

    logged, commands_at, rig, conditioner = False, 0, None, None

    def __init__(self, action_spec: ActionSpec) -> None:
        self._spec = action_spec
        self.state_names = action_spec.names

    def begin(self, first: Observations) -> Array:
        for known in (first.commanded, first.measured):
            if known is not None and known.shape[-1] == len(self.state_names):
                return np.asarray(known, np.float64)
        return np.zeros((len(first.time_s), len(self.state_names)))

    def integrate(self, commanded: Array, actions: NDArray[np.float32]) -> Array:
        return generic.integrate(self._spec, commanded, actions)

    def condition(self, frames: Frames, new: NDArray[np.float32]) -> Conditioning | None:
        return None

    def rigs(self, scenes: Sequence[Scene]) -> tuple[Rig, ...] | None:
        return None

    def camera_matrices(self, states: Array, rigs: Sequence[Rig] | None) -> NDArray[np.float32] | None:
        return None


FILE, GENERIC = "file", "generic"


def robot_named(
    name: str, action_spec: ActionSpec, spec: ObservationSpec, calibration: Calibration | None = None
) -> Robot:
    """Errors: ReverieError for an unknown name, and for a robot given as a file without calibration."""
    if name == panda.NAME:
        return PandaRobot()
    if name == GENERIC:
        return GenericRobot(action_spec)
    if name == FILE:
        if calibration is None:
            raise ReverieError("robot 'file': the data set has no calibration; make one: reverie data calibrate")
        return FileRobot(calibration, action_spec, spec)
    raise unknown_name("robot", name, [panda.NAME, GENERIC, FILE])
