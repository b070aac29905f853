"""What actions and observations mean, as values. Two specs that disagree stop a run before its first trial.

This file knows names, units, frames, signs and rates. It does not convert anything: conversions live in `actions` and
`transforms`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from reverie.core.errors import ReverieError, SpecMismatch

Mode = Literal["absolute", "delta", "velocity"]
Frame = Literal["base", "tool", "joint"]
Rotation = Literal["none", "rpy", "rotvec", "quat_wxyz", "rot6d"]
Gripper = Literal["none", "closed0_open1", "open0_closed1"]


@dataclass(frozen=True)
class CameraSpec:
    """One camera: images are uint8 [height, width, 3], RGB."""

    name: str
    height: int
    width: int


@dataclass(frozen=True)
class ActionSpec:
    """One command per control step: `[A]` numbers, each with a name, a unit and a mode.

    `frame` says in which frame positions and rotations are expressed, `rotation` how three or more of the numbers
    encode a rotation, `gripper` which end of the opening is 0, `control_hz` how many commands a second there are.
    `low` and `high` bound each number (values outside are clipped by the embodiment), or are None.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    modes: tuple[Mode, ...]
    frame: Frame
    rotation: Rotation
    gripper: Gripper
    control_hz: float
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for field in ("units", "modes", "low", "high"):
            value = getattr(self, field)
            if value is not None and len(value) != len(self.names):
                raise ReverieError(
                    f"ActionSpec.{field} has {len(value)} entries for {len(self.names)} names {self.names}: give one each"
                )
        if not self.control_hz > 0:
            raise ReverieError(f"ActionSpec.control_hz is {self.control_hz}: it must be > 0")

    @property
    def action_dim(self) -> int:
        return len(self.names)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "ActionSpec":
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        return cls(**fields)


@dataclass(frozen=True)
class ObservationSpec:
    """What is seen: cameras, the named parts of the commanded and the measured state, other modalities, and when.

    A world lists what it offers; a policy lists what it needs. `frame_every` is the number of control steps from one
    frame to the next. A policy sees `n_obs_steps` frames, `obs_stride` frames apart, the newest last; before the first
    frame the window repeats it. Worlds have `n_obs_steps` = 1.
    """

    cameras: tuple[CameraSpec, ...]
    commanded: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    frame_every: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    padding: Literal["repeat_first"] = "repeat_first"

    def __post_init__(self) -> None:
        names = [c.name for c in self.cameras]
        if len(set(names)) != len(names):
            raise ReverieError(f"ObservationSpec.cameras names a camera twice: {names}")
        for field in ("frame_every", "n_obs_steps", "obs_stride"):
            if getattr(self, field) < 1:
                raise ReverieError(f"ObservationSpec.{field} is {getattr(self, field)}: it must be >= 1")

    @property
    def camera_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.cameras)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "ObservationSpec":
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        fields["cameras"] = tuple(CameraSpec(**c) for c in value["cameras"])
        return cls(**fields)


def action_differences(wanted: ActionSpec, offered: ActionSpec) -> list[str]:
    """Every difference that changes what a number means. Bounds are not meaning: they may differ."""
    fields = ("names", "units", "modes", "frame", "rotation", "gripper", "control_hz")
    return [
        f"action {f}: policy has {getattr(wanted, f)!r}, world expects {getattr(offered, f)!r}"
        for f in fields
        if getattr(wanted, f) != getattr(offered, f)
    ]


def observation_differences(wanted: ObservationSpec, offered: ObservationSpec) -> list[str]:
    """What the policy needs and the world lacks or has otherwise."""
    found = {c.name: c for c in offered.cameras}
    problems = []
    for camera in wanted.cameras:
        have = found.get(camera.name)
        if have is None:
            problems.append(f"camera {camera.name!r}: policy needs it, world has {sorted(found)}")
        elif have != camera:
            problems.append(
                f"camera {camera.name!r}: policy needs {camera.height}x{camera.width}, "
                f"world shows {have.height}x{have.width}"
            )
    for part in ("commanded", "measured", "extras"):
        missing = [n for n in getattr(wanted, part) if n not in getattr(offered, part)]
        if missing:
            problems.append(f"{part} {missing}: policy needs it, world has {list(getattr(offered, part))}")
    if wanted.frame_every != offered.frame_every:
        problems.append(f"frame_every: policy has {wanted.frame_every}, world shows one every {offered.frame_every}")
    return problems


def check_compatible(
    policy: tuple[ObservationSpec, ActionSpec], world: tuple[ObservationSpec, ActionSpec], names: str = "policy, world"
) -> None:
    """Raise SpecMismatch with every difference between what a policy needs and a world offers."""
    problems = observation_differences(policy[0], world[0]) + action_differences(policy[1], world[1])
    if problems:
        listed = "\n  - ".join(problems)
        raise SpecMismatch(
            f"specs do not fit ({names}):\n  - {listed}\nUse a world with the policy's spec, or wrap the policy in transforms that convert it."
        )
