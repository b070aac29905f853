"""From what a rollout saw to Episodes: all frames, actions, events, and success as the world reports it.

Knows how success is read (an event or extras named "success"); decides nothing about it. A world that reports neither
leaves it None, which is never read as failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import (
    INTENDED,
    ActionChunk,
    ActionSpec,
    Episode,
    Event,
    Observations,
    ObservationSpec,
    Policy,
    ReverieError,
    Scene,
    Transition,
    World,
    stack_time,
)


@dataclass
class Recording:
    """Grows by one transition a policy call; `episodes` cuts it into one Episode a row."""

    frames: list[Observations]
    frame_steps: list[int] = field(default_factory=lambda: [0])
    actions: list[NDArray[np.float32]] = field(default_factory=list)
    valid: list[NDArray[np.bool_]] = field(default_factory=list)
    events: list[list[Event]] = field(default_factory=list)
    intended: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """By number of the frame after which it was said: [B, H, A]."""

    @classmethod
    def start(cls, first: Observations) -> "Recording":
        rows = first.time_s.shape[0]
        return cls([first], valid=[np.ones(rows, dtype=bool)], events=[[] for _ in range(rows)])

    def add(self, chunk: ActionChunk, n_steps: int, transition: Transition) -> None:
        """What the policy said, how much of it was executed, and what that brought."""
        if chunk.intended is not None:
            self.intended[len(self.frames) - 1] = chunk.intended
        self.actions.append(chunk.values[:, :n_steps])
        self.frame_steps.extend(int(s) for s in transition.frame_steps)
        for t in range(len(transition.frame_steps)):
            self.frames.append(transition.observations[:, t])
            self.valid.append(transition.valid[:, t])
        for mine, new in zip(self.events, transition.events, strict=True):
            mine.extend(new)

    def episodes(self, policy: Policy, world: World, scenes: Sequence[Scene]) -> list[Episode]:
        made_by = {"source": f"policy:{policy.name}", "policy_fingerprint": policy.fingerprint}
        return self.episodes_by(made_by, policy.action_spec, world, scenes)

    def episodes_by(
        self, made_by: Mapping[str, Any], action_spec: ActionSpec, world: World, scenes: Sequence[Scene]
    ) -> list[Episode]:
        """made_by: the provenance of whoever acted; the world's is added."""
        frames = stack_time(self.frames)  # [B, F, ...]
        valid = np.stack(self.valid, axis=1)  # [B, F]
        actions = np.concatenate(self.actions, axis=1)  # [B, N, A]
        spec = world.observation_spec
        if self.intended:
            frames = replace(frames, extras={**frames.extras, INTENDED: self._intentions(len(self.frames))})
            spec = replace(spec, extras=(*spec.extras, INTENDED))
        provenance = {**made_by, "world": world.name, "world_fingerprint": world.fingerprint}
        return [
            self._episode(row, scene, frames, actions[row], valid[row], (spec, action_spec), provenance)
            for row, scene in enumerate(scenes)
        ]

    def _intentions(self, n_frames: int) -> NDArray[np.float32]:
        """[B, F, H, A]; not a number at frames where the policy was not asked or did not say."""
        first = next(iter(self.intended.values()))
        found = np.full((len(first), n_frames, *first.shape[1:]), np.nan, np.float32)
        for frame, intended in self.intended.items():
            found[:, frame] = intended
        return found

    def _episode(
        self,
        row: int,
        scene: Scene,
        frames: Observations,
        actions: NDArray[np.float32],
        valid: NDArray[np.bool_],
        specs: tuple[ObservationSpec, ActionSpec],
        provenance: Mapping[str, Any],
    ) -> Episode:
        kept = int(valid.size if valid.all() else np.argmin(valid))  # a foreign world may have ended this row
        steps = np.array(self.frame_steps[:kept], dtype=np.int64)
        seen = frames.map(lambda v: v[row, :kept], (scene.instruction,))
        success, when = latched_success(seen, self.events[row], scene)
        return Episode(
            observations=seen,
            frame_steps=steps,
            actions=actions if valid.all() else actions[: steps[-1]],
            observation_spec=specs[0],
            action_spec=specs[1],
            instruction=scene.instruction,
            success=success,
            success_time_s=when,
            scene=scene,
            events=tuple(self.events[row]),
            provenance=provenance,
        )


def latched_success(frames: Observations, events: Sequence[Event], scene: Scene) -> tuple[bool | None, float | None]:
    """Success at any time, and when; None where the world measures none. Already true at reset is an error."""
    times = [e.time_s for e in events if e.name == "success"]
    seen = frames.extras.get("success")
    if seen is not None and seen[0]:
        raise ReverieError(
            f"scene {scene.id!r} is already successful at reset: draw it so that something is left to do"
        )
    if times:
        return True, min(times)
    if seen is None:
        return None, None
    return (True, float(frames.time_s[int(np.argmax(seen))])) if seen.any() else (False, None)
