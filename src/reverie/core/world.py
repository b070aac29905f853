"""World: where actions have consequences. Physics, video and recordings have the same two verbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reverie.core.observations import Observations
from reverie.core.scene import Scene
from reverie.core.specs import ActionSpec, ObservationSpec


@dataclass(frozen=True)
class Event:
    """Something that happened in one row at `time_s`: a contact, a success, a drop."""

    name: str
    time_s: float
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Transition:
    """What T control steps brought: observations [B, T', ...] for every new frame in between (T' may be 0).

    `frame_steps` [T'] is the number of control steps since reset at which each frame was taken. `valid` [B, T'] is False
    for rows that a foreign world has ended. `events` holds one tuple a row.
    """

    observations: Observations
    frame_steps: NDArray[np.int64]
    valid: NDArray[np.bool_]
    events: tuple[tuple[Event, ...], ...]


class World(Protocol):
    """Any T >= 1 is legal in `step`, and T at once equals T times 1 (in law, for a generative world).

    `name` goes into trial keys; `fingerprint` changes whenever results may change (weights, physics version).
    Success never ends a row: it is latched and goes on being reported.
    """

    name: str

    @property
    def observation_spec(self) -> ObservationSpec:
        """What it shows."""
        ...

    @property
    def action_spec(self) -> ActionSpec:
        """What commands it takes."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of whatever decides its results."""
        ...

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        """Start one row per scene; returns [B, ...]."""
        ...

    def step(self, actions: NDArray[np.float32]) -> Transition:
        """Apply [B, T, A] commands."""
        ...

    def close(self) -> None:
        """Free what it holds; it is not used again."""
        ...


def refusal(scene: Scene, shown: ObservationSpec) -> str | None:
    """Why a world that shows this cannot be asked about the scene, if so: what no image shows, only a world that measures its
    robot has; a rate from another one would be that of the clean scene under another name."""
    if not scene.hidden or shown.measured:
        return None
    return f"scene {scene.id!r} changes {', '.join(scene.hidden)}, which no image shows: this world measures nothing"
