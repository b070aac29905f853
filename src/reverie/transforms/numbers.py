"""Transforms of state and actions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reverie.actions import Normalisation
from reverie.core import ReverieError
from reverie.core.rotations import matrix_to_rot6d, quat_to_matrix
from reverie.transforms.batch import Batch


@dataclass(frozen=True)
class StateQuaternionTo6d:
    """The quaternion (wxyz) at `start` of the state becomes two columns of its matrix, in the same place: a rotation
    without the jump between q and -q (Zhou et al. 2019)."""

    start: int
    name: ClassVar[str] = "state_quaternion_to_6d"

    def apply(self, batch: Batch) -> Batch:
        state = batch["state"]
        if state.shape[-1] < self.start + 4:
            raise ReverieError(
                f"state has {state.shape[-1]} numbers, a quaternion was expected from number {self.start}"
            )
        before, quat, after = np.split(state, [self.start, self.start + 4], axis=-1)
        columns = matrix_to_rot6d(quat_to_matrix(quat)).astype(np.float32)
        return batch | {"state": np.concatenate([before, columns, after], axis=-1)}

    def invert(self, batch: Batch) -> Batch:
        return batch


@dataclass(frozen=True)
class NormalizeState:
    """State to about unit size, then limited: what was never seen in training does not drive a network far outside."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    limit: float = 5.0
    name: ClassVar[str] = "normalize_state"

    def apply(self, batch: Batch) -> Batch:
        state = Normalisation(self.offset, self.scale).encode(batch["state"])
        return batch | {"state": state.clip(-self.limit, self.limit)}

    def invert(self, batch: Batch) -> Batch:
        return batch


@dataclass(frozen=True)
class NormalizeActions:
    """Actions to about unit size; `invert` brings what the model predicts back to units."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    name: ClassVar[str] = "normalize_actions"

    def apply(self, batch: Batch) -> Batch:
        if "actions" not in batch:
            return batch
        return batch | {"actions": Normalisation(self.offset, self.scale).encode(batch["actions"])}

    def invert(self, batch: Batch) -> Batch:
        return batch | {"actions": Normalisation(self.offset, self.scale).decode(batch["actions"])}
