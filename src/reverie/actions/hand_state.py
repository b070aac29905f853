"""Where the hand was told to be when a chunk begins: what relative actions are relative to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.actions.columns import GRIPPERS, POSITION, ROTATIONS
from reverie.actions.representations import to_matrix
from reverie.core import ReverieError
from reverie.core.specs import Rotation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HandState:
    """B rows in the base frame: position [B, 3] (m), rotation [B, 3, 3], opening [B] (0 closed, 1 open), joints [B, J] (rad);
    None where it is not known."""

    position: Array | None = None
    rotation: Array | None = None
    opening: Array | None = None
    joints: Array | None = None

    def need(self, part: str, rows: int) -> Array:
        """That part. Errors: ReverieError where it is not known, or known for another number of rows."""
        value: Array | None = getattr(self, part)
        if value is None:
            raise ReverieError(
                f"this conversion needs the commanded {part} at the start of the chunk: give it in the state"
            )
        if len(value) != rows:
            raise ReverieError(f"the state has {len(value)} rows of {part}, the actions {rows}: give one each")
        return value


def hand_state(values: NDArray[np.floating], names: Sequence[str]) -> HandState:
    """From a commanded state [B, S] with its names: x y z, qw qx qy qz or roll pitch yaw, opening or gripper, q1 q2 ...

    Errors: ReverieError for another shape, and for values that are not finite.
    """
    state, listed = np.asarray(values, np.float64), list(names)
    if state.ndim != 2 or state.shape[1] != len(listed) or not np.isfinite(state).all():
        raise ReverieError(
            f"the state has shape {list(state.shape)}, expected finite numbers [B, {len(listed)}] for {listed}"
        )

    def parts(wanted: Sequence[str]) -> Any:
        return state[:, [listed.index(n) for n in wanted]] if set(wanted) <= set(listed) and wanted else None

    gripper = next((n for n in GRIPPERS if n in listed), None)
    joints = [f"q{i}" for i in range(1, 1 + len(listed)) if f"q{i}" in listed]
    return HandState(
        position=parts(POSITION),
        rotation=_rotation(parts),
        opening=None if gripper is None else state[:, listed.index(gripper)],
        joints=parts(joints),
    )


def _rotation(parts: Any) -> Array | None:
    """In the first representation that the state names. "rx ry rz" may be two of them, and is left out."""
    known: tuple[tuple[Rotation, tuple[str, ...]], ...] = (
        ("quat_wxyz", ROTATIONS["quat_wxyz"][0]),
        ("rot6d", ROTATIONS["rot6d"][0]),
        ("rpy", ROTATIONS["rpy"][0]),
    )
    for rotation, names in known:
        found = parts(names)
        if found is not None:
            return to_matrix(found, rotation)
    return None
