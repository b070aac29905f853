"""Episode: one recorded sequence, from people, scripts, policies or dreams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.observations import Observations
from reverie.core.scene import Scene
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.core.world import Event


@dataclass(frozen=True)
class Episode:
    """F frames and N actions. Frame f was taken after `frame_steps[f]` control steps; frame 0 at reset.

    observations: arrays [F, ...]. actions: float32 [N, A]; action n leads from control step n to n + 1.
    success: True, False or None (unlabelled: never read as failure). success_time_s: when it was first reached.
    provenance: who made it and how (`source`: "expert", "play", "policy:act", "droid", ...).
    """

    observations: Observations
    frame_steps: NDArray[np.int64]
    actions: NDArray[np.float32]
    observation_spec: ObservationSpec
    action_spec: ActionSpec
    instruction: str
    success: bool | None = None
    success_time_s: float | None = None
    scene: Scene | None = None
    events: tuple[Event, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_frames, n_actions = self.observations.time_s.shape[0], self.actions.shape[0]
        if self.actions.ndim != 2 or self.actions.shape[1] != self.action_spec.action_dim:
            raise ReverieError(
                f"episode actions have shape {self.actions.shape}, expected [N, {self.action_spec.action_dim}]"
            )
        if not np.isfinite(self.actions).all():
            raise ReverieError("episode actions hold values that are not finite")
        if self.frame_steps.shape != (n_frames,) or (np.diff(self.frame_steps) <= 0).any():
            raise ReverieError(f"frame_steps must be {n_frames} increasing numbers, found {self.frame_steps}")
        if n_frames and not 0 <= self.frame_steps[0] <= self.frame_steps[-1] <= n_actions:
            raise ReverieError(
                f"frame_steps run from {self.frame_steps[0]} to {self.frame_steps[-1]}, expected within 0..{n_actions}"
            )

    @property
    def n_frames(self) -> int:
        """F."""
        return int(self.frame_steps.shape[0])

    @property
    def n_steps(self) -> int:
        """N, control steps."""
        return int(self.actions.shape[0])
