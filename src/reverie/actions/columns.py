"""Which numbers of an action are position, rotation, joints and gripper, as its spec's names, units and words say."""

from collections.abc import Sequence
from dataclasses import dataclass

from reverie.core import ActionSpec, ReverieError
from reverie.core.specs import Mode, Rotation

POSITION = ("x", "y", "z")
ROLL_PITCH_YAW, ABOUT_AXES = ("roll", "pitch", "yaw"), ("rx", "ry", "rz")
ROTATIONS: dict[Rotation, tuple[tuple[str, ...], ...]] = {
    "none": (),
    "rpy": (ROLL_PITCH_YAW, ABOUT_AXES),
    "rotvec": (ABOUT_AXES, ("wx", "wy", "wz"), ROLL_PITCH_YAW),
    "quat_wxyz": (("qw", "qx", "qy", "qz"),),
    "rot6d": (("r11", "r21", "r31", "r12", "r22", "r32"),),
}
"""The names that each representation goes by: `rotation` decides what they mean. rot6d: two columns of the matrix."""
GRIPPERS = ("gripper", "opening", "gripper_position")
PREFIXES = ("", "d", "v")
"""Of deltas and velocities: "dx", "droll", "vx"."""
UNITS = {"position": ("m", "m/s"), "angle": ("rad", "rad/s"), "number": ("1", "1/s", "")}


@dataclass(frozen=True)
class Columns:
    """Places in an action. Either position (and rotation), or joints; `mode` is theirs, `gripper_mode` the gripper's."""

    position: tuple[int, ...]
    rotation: tuple[int, ...]
    joints: tuple[int, ...]
    gripper: int | None
    mode: Mode
    gripper_mode: Mode | None


def columns_of(spec: ActionSpec) -> Columns:
    """Errors: ReverieError for names that are not known, modes that differ within a pose, units that are not SI."""
    gripper = _gripper(spec)
    others = [i for i in range(spec.action_dim) if i != gripper]
    position: tuple[int, ...] = ()
    rotation: tuple[int, ...] = ()
    joints: tuple[int, ...] = ()
    if spec.frame == "joint":
        joints = tuple(others)
        _check_units(spec, joints, "angle")
    else:
        position, rotation = _find(spec.names, POSITION), rotation_places(spec.names, spec.rotation)
        _check_units(spec, position, "position")
        _check_units(spec, rotation, "angle" if spec.rotation in ("rpy", "rotvec") else "number")
        if left := [spec.names[i] for i in others if i not in (*position, *rotation)]:
            raise ReverieError(
                f"actions {left} of {spec.names} are no position, rotation ({spec.rotation}) or gripper: they cannot be "
                f"converted; name positions {POSITION} and rotations as one of {ROTATIONS[spec.rotation]}"
            )
    modes = {spec.modes[i] for i in others}
    if len(modes) != 1:
        raise ReverieError(f"the modes of {[spec.names[i] for i in others]} are {sorted(modes)}, expected one for all")
    return Columns(position, rotation, joints, gripper, modes.pop(), None if gripper is None else spec.modes[gripper])


def rotation_places(names: Sequence[str], rotation: Rotation) -> tuple[int, ...]:
    """Where `names` give a rotation in that representation; empty for "none"."""
    for known in ROTATIONS[rotation]:
        if {n for k in known for n in _spellings(k)} & set(names):
            return _find(names, known)
    if rotation == "none":
        return ()
    raise ReverieError(f"found no {rotation} in {list(names)}, expected one of {ROTATIONS[rotation]}")


def _gripper(spec: ActionSpec) -> int | None:
    found = [i for i, n in enumerate(spec.names) if any(n in _spellings(g) for g in GRIPPERS)]
    if len(found) != (spec.gripper != "none"):
        raise ReverieError(
            f"gripper is {spec.gripper!r}, but {[spec.names[i] for i in found]} are named so, of {spec.names}: correct the spec"
        )
    if found:
        _check_units(spec, tuple(found), "number")
    return found[0] if found else None


def _find(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    places = []
    for name in wanted:
        found = [i for i, n in enumerate(names) if n in _spellings(name)]
        if len(found) != 1:
            raise ReverieError(f"found {len(found)} numbers named {name!r} in {list(names)}, expected one")
        places.append(found[0])
    return tuple(places)


def _spellings(name: str) -> tuple[str, ...]:
    return tuple(prefix + name for prefix in PREFIXES)


def _check_units(spec: ActionSpec, places: tuple[int, ...], kind: str) -> None:
    for i in places:
        if spec.units[i] not in UNITS[kind]:
            raise ReverieError(f"{spec.names[i]!r} has the unit {spec.units[i]!r}, expected one of {UNITS[kind]}")
