"""Motion: a chunk as poses or as steps from pose to pose, free of how a spec writes them.

A step in the base frame is p' = p + d, R' = D R; in the tool frame p' = p + R d, R' = R D. Each step starts from the pose
commanded before it, the first from the commanded pose at the start of the chunk; nothing is clipped to a workspace.
A velocity is a step times the control rate, number by number (for `rpy` these are not Euler-angle rates).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.actions.columns import columns_of
from reverie.actions.hand_state import HandState
from reverie.actions.representations import from_matrix, to_matrix
from reverie.core import ActionSpec, ReverieError
from reverie.core.specs import Frame

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """position [B, T, 3], rotation [B, T, 3, 3] (None for specs without)."""

    position: Array
    rotation: Array | None


def read(actions: Array, spec: ActionSpec) -> Motion:
    """[B, T, A] -> poses (absolute specs) or steps (delta and velocity)."""
    columns = columns_of(spec)
    gain = 1 / spec.control_hz if columns.mode == "velocity" else 1.0
    rotation = None
    if columns.rotation:
        rotation = to_matrix(actions[..., columns.rotation] * gain, spec.rotation)
    return Motion(actions[..., columns.position] * gain, rotation)


def write(motion: Motion, spec: ActionSpec, out: Array) -> None:
    """Into the columns of `out` [B, T, A] that are position and rotation."""
    columns = columns_of(spec)
    gain = spec.control_hz if columns.mode == "velocity" else 1.0
    out[..., columns.position] = motion.position * gain
    if columns.rotation and motion.rotation is not None:
        out[..., columns.rotation] = from_matrix(motion.rotation, spec.rotation) * gain


def check_meaning(spec: ActionSpec) -> None:
    """Errors: ReverieError for numbers that can be no pose or step; `read` and `write` take this as checked."""
    columns = columns_of(spec)
    if columns.mode == "absolute" and spec.frame == "tool":
        raise ReverieError(
            "an absolute pose in the tool frame has no meaning: give the frame as base, or the mode as delta"
        )
    if columns.mode == "velocity" and spec.rotation in ("quat_wxyz", "rot6d"):
        raise ReverieError(f"a velocity of {spec.rotation} has no meaning: give rotations as rotvec or rpy")


def integrate(steps: Motion, frame: Frame, start: HandState) -> Motion:
    """Steps -> the poses after each of them, in the base frame."""
    rows, length = steps.position.shape[:2]
    position, rotation = _start(steps, frame, start, rows)
    places, turns = [], []
    for t in range(length):
        move = steps.position[:, t]
        if frame == "tool" and rotation is not None:
            move = np.einsum("bij,bj->bi", rotation, move)
        position = position + move
        places.append(position)
        if steps.rotation is not None and rotation is not None:
            turn = steps.rotation[:, t]
            rotation = rotation @ turn if frame == "tool" else turn @ rotation
            turns.append(rotation)
    return Motion(np.stack(places, axis=1), np.stack(turns, axis=1) if turns else None)


def differentiate(poses: Motion, frame: Frame, start: HandState) -> Motion:
    """Poses in the base frame -> the steps that lead from each to the next, the first from the start."""
    rows, length = poses.position.shape[:2]
    first_place, first_turn = _start(poses, frame, start, rows)
    before = np.concatenate([first_place[:, None], poses.position[:, :-1]], axis=1)
    move, turn, turned = poses.position - before, None, None
    if first_turn is not None:
        known = poses.rotation if poses.rotation is not None else np.repeat(first_turn[:, None], length, axis=1)
        turned = np.concatenate([first_turn[:, None], known[:, :-1]], axis=1)
    if poses.rotation is not None and turned is not None:
        back = np.swapaxes(turned, -1, -2)
        turn = back @ poses.rotation if frame == "tool" else poses.rotation @ back
    if frame == "tool" and turned is not None:
        move = np.einsum("btji,btj->bti", turned, move)
    return Motion(move, turn)


def _start(motion: Motion, frame: Frame, start: HandState, rows: int) -> tuple[Array, Array | None]:
    """The pose to begin with; its rotation only where it is needed."""
    needs_rotation = motion.rotation is not None or frame == "tool"
    return start.need("position", rows), start.need("rotation", rows) if needs_rotation else None
