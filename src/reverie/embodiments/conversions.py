"""Joint commands to end-effector commands and back, through the arm's kinematics; and what needs none, as `actions` does.

Joints give one pose, so that way is exact. A pose has many joints: those nearest to the ones commanded before are taken,
and reached to 0.5 mm and 2 mrad (`panda_kinematics.inverse`), so joints -> pose -> joints keeps the pose, not the joints.
Steps that the arm cannot follow are reported by row, never made up: poses out of reach, and those that only joints far away
from the present ones have (near joint 4's limit), which `panda.integrate` refuses as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.actions import HandState, checks
from reverie.actions import convert as convert_poses
from reverie.actions.columns import columns_of
from reverie.actions.conversions import absolute, check_pair, convert_gripper, relative_to
from reverie.actions.motion import Motion, read, write
from reverie.core import ActionSpec, ReverieError
from reverie.embodiments import panda_kinematics as kinematics

Array = NDArray[np.float64]
ITERATIONS = 60
"""For each step of the chunk: an absolute pose may lie further away than a control step."""


@dataclass(frozen=True)
class Converted:
    """actions [B, T, A], NaN in rows that did not converge; `stopped_at` [B]: the first step that no joints were found
    for, -1 where there is none."""

    actions: NDArray[np.float32]
    stopped_at: NDArray[np.int64]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """[B]."""
        return np.asarray(self.stopped_at < 0)


def convert(
    actions: NDArray[np.floating], spec_from: ActionSpec, spec_to: ActionSpec, start: HandState | None = None
) -> NDArray[np.float32]:
    """As `actions.convert`, with joint commands on either side. Errors: ReverieError also for rows without a solution."""
    found = convert_rows(actions, spec_from, spec_to, start)
    if not found.converged.all():
        rows = np.flatnonzero(~found.converged)
        listed = ", ".join(f"row {b} at step {found.stopped_at[b]}" for b in rows[:5])
        raise ReverieError(
            f"no joints reach the pose in {len(rows)} of {len(found.actions)} rows ({listed}): the target is out of reach or "
            "too far from the state; convert_rows gives the other rows"
        )
    return found.actions


def convert_rows(
    actions: NDArray[np.floating], spec_from: ActionSpec, spec_to: ActionSpec, start: HandState | None = None
) -> Converted:
    """[B, T, A] -> [B, T, A'] and which rows the arm can follow. Rows do not depend on their neighbours."""
    values = checks.chunks(actions, spec_from.action_dim)
    whole = np.full(len(values), -1)
    if "joint" not in (spec_from.frame, spec_to.frame):
        return Converted(convert_poses(values, spec_from, spec_to, start), whole)
    check_pair(spec_from, spec_to)
    begin = start or HandState()
    out = np.zeros((*values.shape[:2], spec_to.action_dim))
    stopped = whole
    if spec_from.frame == "joint" and spec_to.frame == "joint":
        write_joints(read_joints(values, spec_from, begin), spec_to, begin, out)
    elif spec_from.frame == "joint":
        write(relative_to(forward(read_joints(values, spec_from, begin)), spec_to, begin), spec_to, out)
    else:
        joints, stopped = inverse(absolute(read(values, spec_from), spec_from, begin), begin)
        write_joints(joints, spec_to, begin, out)
    convert_gripper(values, spec_from, spec_to, begin, out)
    out[stopped >= 0] = np.nan
    return Converted(out.astype(np.float32), stopped)


def read_joints(values: Array, spec: ActionSpec, start: HandState) -> Array:
    """[B, T, A] -> the joint angles commanded by each step, [B, T, 7]."""
    columns = columns_of(spec)
    given = values[..., columns.joints]
    _check_joints(given.shape[-1], spec)
    if columns.mode == "absolute":
        return np.asarray(given)
    steps = given / spec.control_hz if columns.mode == "velocity" else given
    return np.asarray(start.need("joints", len(values))[:, None] + np.cumsum(steps, axis=1))


def write_joints(joints: Array, spec: ActionSpec, start: HandState, out: Array) -> None:
    """Joint angles [B, T, 7] into the columns of `out` [B, T, A]."""
    columns = columns_of(spec)
    _check_joints(len(columns.joints), spec)
    if columns.mode != "absolute":
        begin = start.need("joints", len(joints))
        joints = np.diff(np.concatenate([begin[:, None], joints], axis=1), axis=1)
    out[..., columns.joints] = joints * (spec.control_hz if columns.mode == "velocity" else 1.0)


def forward(joints: Array) -> Motion:
    """[B, T, 7] -> the poses of the TCP."""
    rows, length = joints.shape[:2]
    poses = kinematics.forward(joints.reshape(-1, joints.shape[-1])).reshape(rows, length, 4, 4)
    return Motion(poses[..., :3, 3], poses[..., :3, :3])


def inverse(poses: Motion, start: HandState) -> tuple[Array, NDArray[np.int64]]:
    """Joint angles [B, T, 7], each step from those of the step before, and the first step [B] without a solution (-1: none)."""
    if poses.rotation is None:
        raise ReverieError("joints need a rotation of the hand: the action spec has rotation 'none'")
    rows, length = poses.position.shape[:2]
    target = np.zeros((rows, length, 4, 4))
    target[..., :3, :3], target[..., :3, 3], target[..., 3, 3] = poses.rotation, poses.position, 1
    now = start.need("joints", rows)
    found, stopped = [], np.full(rows, -1)
    for t in range(length):
        new, converged = kinematics.inverse(target[:, t], now, iterations=ITERATIONS)
        stopped[~converged & (stopped < 0)] = t
        now = np.where(converged[:, None], new, now)
        found.append(now)
    return np.stack(found, axis=1), stopped


def _check_joints(n: int, spec: ActionSpec) -> None:
    if n != len(kinematics.REST):
        raise ReverieError(f"{spec.names} has {n} joints, the arm has {len(kinematics.REST)}")
