"""One action spec into another: delta, absolute, velocity; base and tool frame; rotation representations; gripper signs.

What a spec says decides everything; what cannot be converted is refused. Joint commands need an arm's kinematics:
`embodiments.conversions` converts them too. Every conversion has its inverse: the same call with the specs exchanged.
Bounds of the specs are not applied.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.actions import checks, motion
from reverie.actions.columns import Columns, columns_of
from reverie.actions.hand_state import HandState
from reverie.core import ActionSpec, ReverieError

Array = NDArray[np.float64]


def convert(
    actions: NDArray[np.floating], spec_from: ActionSpec, spec_to: ActionSpec, start: HandState | None = None
) -> NDArray[np.float32]:
    """[B, T, A] with the meaning of `spec_from` -> [B, T, A'] with that of `spec_to`.

    start: the commanded state at the beginning of each chunk; needed where one side is absolute and the other is not, and
    between frames. Errors: ReverieError for what is not known, or cannot be written in the other spec.
    """
    values = checks.chunks(actions, spec_from.action_dim)
    check_pair(spec_from, spec_to)
    if "joint" in (spec_from.frame, spec_to.frame):
        raise ReverieError("joint commands need the arm's kinematics: use reverie.embodiments.conversions.convert")
    begin = start or HandState()
    out = np.zeros((*values.shape[:2], spec_to.action_dim))
    moved = motion.read(values, spec_from)
    if not same_kind(spec_from, spec_to):
        moved = relative_to(absolute(moved, spec_from, begin), spec_to, begin)
    motion.write(moved, spec_to, out)
    convert_gripper(values, spec_from, spec_to, begin, out)
    return out.astype(np.float32)


def check_pair(spec_from: ActionSpec, spec_to: ActionSpec) -> None:
    """What holds for every pair. Errors: ReverieError that says which entry cannot be converted."""
    for spec in (spec_from, spec_to):
        motion.check_meaning(spec)
    if spec_from.control_hz != spec_to.control_hz:
        raise ReverieError(
            f"control_hz is {spec_from.control_hz:g} here and {spec_to.control_hz:g} there: actions are not resampled"
        )
    if (spec_from.gripper == "none") != (spec_to.gripper == "none"):
        raise ReverieError(f"gripper is {spec_from.gripper!r} here and {spec_to.gripper!r} there: one has none")
    poses = "joint" not in (spec_from.frame, spec_to.frame)
    if poses and (spec_from.rotation == "none") != (spec_to.rotation == "none"):
        raise ReverieError(f"rotation is {spec_from.rotation!r} here and {spec_to.rotation!r} there: one has none")


def same_kind(spec_from: ActionSpec, spec_to: ActionSpec) -> bool:
    """Both poses, or both steps in one frame: then nothing needs to be added up."""
    absolute_from, absolute_to = (columns_of(s).mode == "absolute" for s in (spec_from, spec_to))
    return absolute_from == absolute_to and (absolute_from or spec_from.frame == spec_to.frame)


def absolute(moved: motion.Motion, spec: ActionSpec, start: HandState) -> motion.Motion:
    """What `motion.read` gave for `spec`, as poses in the base frame."""
    return moved if columns_of(spec).mode == "absolute" else motion.integrate(moved, spec.frame, start)


def relative_to(poses: motion.Motion, spec: ActionSpec, start: HandState) -> motion.Motion:
    """Poses in the base frame as what `motion.write` takes for `spec`."""
    return poses if columns_of(spec).mode == "absolute" else motion.differentiate(poses, spec.frame, start)


def convert_gripper(values: Array, spec_from: ActionSpec, spec_to: ActionSpec, start: HandState, out: Array) -> None:
    """Into the gripper's column of `out`. Steps that are added up stop at 0 and 1, as a gripper does."""
    here, there = columns_of(spec_from), columns_of(spec_to)
    if here.gripper is None or there.gripper is None:
        return
    given = values[..., here.gripper] * (1 / spec_from.control_hz if here.gripper_mode == "velocity" else 1.0)
    opening = _flipped(given, here, spec_from.gripper == "open0_closed1")  # 1 open, or steps towards it
    if (here.gripper_mode == "absolute") != (there.gripper_mode == "absolute"):
        begin = start.need("opening", len(values))
        opening = _steps(opening, begin) if here.gripper_mode == "absolute" else _added(opening, begin)
    written = _flipped(opening, there, spec_to.gripper == "open0_closed1")
    out[..., there.gripper] = written * (spec_to.control_hz if there.gripper_mode == "velocity" else 1.0)


def _flipped(values: Array, columns: Columns, flip: bool) -> Array:
    """1 - x for an opening, -x for a step of one."""
    if not flip:
        return values
    return 1 - values if columns.gripper_mode == "absolute" else -values


def _steps(opening: Array, begin: Array) -> Array:
    return np.diff(opening, axis=1, prepend=begin[:, None])


def _added(steps: Array, begin: Array) -> Array:
    openings, now = [], begin
    for t in range(steps.shape[1]):
        now = (now + steps[:, t]).clip(0, 1)
        openings.append(now)
    return np.stack(openings, axis=1)
