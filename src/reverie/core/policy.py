"""Policy: one function from observations to a chunk of actions. It hides nothing: what it carries is `memory`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.observations import Observations
from reverie.core.specs import ActionSpec, ObservationSpec

INTENDED = "intended"
"""The extra of a recording that keeps `ActionChunk.intended`, frame by frame."""
Memory = Mapping[str, NDArray[Any]]
"""What a policy carries from call to call: arrays with one row per trial. `None` at the start."""


@dataclass(frozen=True)
class ActionChunk:
    """Commands for the next T control steps: float32 [B, T, A] with their spec. All values must be finite.

    intended [B, H, A]: what whoever acts would do from here on if nothing disturbed it. A demonstrator that adds noise to
    what it does, so that its recordings show recoveries, says here what is worth imitating.
    """

    values: NDArray[np.float32]
    spec: ActionSpec
    intended: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[-1] != self.spec.action_dim:
            raise ReverieError(
                f"action chunk has shape {self.values.shape}, expected [B, T, {self.spec.action_dim}] for {self.spec.names}"
            )
        if self.intended is not None and self.intended.shape[::2] != self.values.shape[::2]:
            raise ReverieError(f"intended actions have shape {self.intended.shape}, expected [{len(self.values)}, H, {self.spec.action_dim}]")  # fmt: skip
        if not np.isfinite(self.values).all():
            b, t, a = (int(i[0]) for i in np.nonzero(~np.isfinite(self.values)))
            raise ReverieError(
                f"action {self.spec.names[a]!r} of row {b}, step {t} is {self.values[b, t, a]}: not finite"
            )


class Policy(Protocol):
    """`infer` gets observations [B, n_obs_steps, ...] and one seed per row and call.

    `name` goes into trial keys; `fingerprint` changes whenever its actions may change.
    """

    name: str

    @property
    def observation_spec(self) -> ObservationSpec:
        """What it needs to see."""
        ...

    @property
    def action_spec(self) -> ActionSpec:
        """What its numbers mean."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of whatever decides its actions."""
        ...

    @property
    def n_action_steps(self) -> int:
        """How many actions of a chunk are executed before the next call."""
        ...

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        """Observations [B, n_obs_steps, ...] -> a chunk [B, T, A] with T >= n_action_steps, and the memory for the next call."""
        ...
