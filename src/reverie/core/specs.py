"""What actions and observations mean, as values. Two specs that disagree stop a run before its first trial.

This file knows names, units, frames, signs and rates. It does not convert anything: conversions live in `actions` and
`transforms`.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, get_args

from reverie.core.errors import ReverieError, SpecMismatch, unknown_name

Mode = Literal["absolute", "delta", "velocity"]
Frame = Literal["base", "tool", "joint"]
Rotation = Literal["none", "rpy", "rotvec", "quat_wxyz", "rot6d"]
Gripper = Literal["none", "closed0_open1", "open0_closed1"]
Padding = Literal["repeat_first"]
Spec = TypeVar("Spec")


@dataclass(frozen=True)
class CameraSpec:
    """One camera: images are uint8 [height, width, 3], RGB. Errors: ReverieError for a size that is no number >= 1."""

    name: str
    height: int
    width: int

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ReverieError(f"CameraSpec.name is {self.name!r}, expected a string")
        for field in ("height", "width"):
            _check_count(self, field)


@dataclass(frozen=True)
class ActionSpec:
    """One command per control step: `[A]` numbers, each with a name, a unit and a mode.

    `frame` says in which frame positions and rotations are expressed, `rotation` how three or more of the numbers
    encode a rotation, `gripper` which end of the opening is 0, `control_hz` how many commands a second there are.
    `low` and `high` bound each number (values outside are clipped by the embodiment), or are None.
    Errors: ReverieError, naming the entry, for a word or a number that is none of these.
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
        for field in ("names", "units", "modes"):
            _check_names(self, field, distinct=field == "names")
        for field in ("units", "modes", "low", "high"):
            value = getattr(self, field)
            if value is not None and (not isinstance(value, tuple) or len(value) != len(self.names)):
                raise ReverieError(f"ActionSpec.{field} is {value!r}, expected one entry for each of {self.names}")
        for mode in self.modes:
            _check_word("ActionSpec.modes", mode, Mode)
        for field, words in (("frame", Frame), ("rotation", Rotation), ("gripper", Gripper)):
            _check_word(f"ActionSpec.{field}", getattr(self, field), words)
        if not _is_finite(self.control_hz) or not self.control_hz > 0:
            raise ReverieError(f"ActionSpec.control_hz is {self.control_hz!r}, expected a finite number > 0")
        for field in ("low", "high"):
            if not all(_is_finite(v) for v in getattr(self, field) or ()):
                raise ReverieError(f"ActionSpec.{field} is {getattr(self, field)}, expected finite numbers, or null")

    @property
    def action_dim(self) -> int:
        """A, the numbers of one command."""
        return len(self.names)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any, where: str = "action_spec") -> "ActionSpec":
        """From what JSON holds. Errors: ReverieError that begins with `where` (the file and the entry)."""
        return _read(cls, value, where)


@dataclass(frozen=True)
class ObservationSpec:
    """What is seen: cameras, the named parts of the commanded and the measured state, other modalities, and when.

    A world lists what it offers; a policy lists what it needs. `frame_every` is the number of control steps from one
    frame to the next. A policy sees `n_obs_steps` frames, `obs_stride` frames apart, the newest last; before the first
    frame the window repeats it. Worlds have `n_obs_steps` = 1.
    Errors: ReverieError, naming the entry, for names given twice and counts below 1.
    """

    cameras: tuple[CameraSpec, ...]
    commanded: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    frame_every: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    padding: Padding = "repeat_first"

    def __post_init__(self) -> None:
        if not isinstance(self.cameras, tuple) or not all(isinstance(c, CameraSpec) for c in self.cameras):
            raise ReverieError(f"ObservationSpec.cameras is {self.cameras!r}, expected a list of cameras")
        names = [c.name for c in self.cameras]
        if len(set(names)) != len(names):
            raise ReverieError(f"ObservationSpec.cameras names a camera twice: {names}")
        for field in ("commanded", "measured", "extras"):
            _check_names(self, field, distinct=True)
        for field in ("frame_every", "n_obs_steps", "obs_stride"):
            _check_count(self, field)
        _check_word("ObservationSpec.padding", self.padding, Padding)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """In the order of `cameras`."""
        return tuple(c.name for c in self.cameras)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any, where: str = "observation_spec") -> "ObservationSpec":
        """From what JSON holds. Errors: ReverieError that begins with `where` (the file and the entry)."""
        return _read(cls, value, where)


def _read(kind: type[Spec], value: Any, where: str) -> Spec:
    """The one door: every entry known, none that is needed missing, and what the spec itself says of their values."""
    if not isinstance(value, Mapping):
        raise ReverieError(f"{where}: found {value!r}, expected an object with the entries of {kind.__name__}")
    known = {f.name: f.default is MISSING for f in fields(kind)}  # type: ignore[arg-type]
    for name in value:
        if name not in known:
            raise unknown_name(f"entry of {where}:", str(name), list(known))
    if missing := [name for name, needed in known.items() if needed and name not in value]:
        raise ReverieError(
            f"{where}: found no {', '.join(missing)}, expected all of {', '.join(known)}; add what is missing"
        )
    read = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    if isinstance(read.get("cameras"), tuple):
        read["cameras"] = tuple(_read_camera(c, f"{where}, cameras[{i}]") for i, c in enumerate(read["cameras"]))
    try:
        return kind(**read)
    except ReverieError as error:
        raise ReverieError(f"{where}: {error}") from None


def _read_camera(value: Any, where: str) -> CameraSpec:
    return value if isinstance(value, CameraSpec) else _read(CameraSpec, value, where)


def _check_names(spec: object, field: str, distinct: bool) -> None:
    value, what = getattr(spec, field), f"{type(spec).__name__}.{field}"
    if not isinstance(value, tuple) or not all(isinstance(v, str) for v in value):
        raise ReverieError(f"{what} is {value!r}, expected a list of strings")
    if distinct and len(set(value)) != len(value):
        raise ReverieError(f"{what} names something twice: {list(value)}")


def _check_word(what: str, found: object, words: Any) -> None:
    if found not in get_args(words):
        raise ReverieError(f"{what} is {found!r}, expected one of {', '.join(map(repr, get_args(words)))}")


def _check_count(spec: object, field: str) -> None:
    value = getattr(spec, field)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ReverieError(f"{type(spec).__name__}.{field} is {value!r}, expected a whole number >= 1")


def _is_finite(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


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
