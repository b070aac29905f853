"""RecordedWorld: recorded episodes as a world that shows what was recorded, whatever it is told to do.

It is the truth arm of a replay, and where a video world begins ("the first real frame"). It knows no robot and no physics;
a label that the recording lacks is absent, never False. Beside each frame it shows the commands that were recorded until the
next one, so that a policy can repeat them (`rollouts.AsRecorded`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reverie.core import (
    ActionSpec,
    Event,
    Observations,
    ObservationSpec,
    ReverieError,
    Scene,
    Transition,
    stack_time,
    unknown_name,
)
from reverie.data.cache import FrameCache
from reverie.data.recordings import (
    acted_by,
    episode_keys,
    observe,
    offered_spec,
    recorded_episodes,
    recorded_scenes,
)

__all__ = ["RECORDED_ACTIONS", "RecordedWorld", "acted_by", "episode_keys", "recorded_episodes", "recorded_scenes"]

RECORDED_ACTIONS = "recorded_actions"
"""Extra [B, frame_every, A]: the commands from this frame to the next; past the last one, that one again."""
Index = NDArray[np.int64]


class RecordedWorld:
    """Each row is one recorded episode. After its last frame that frame stays and `valid` is False.

    Events: "success" or "failure", where the recording is labelled, at the recorded time or with the last frame.
    """

    def __init__(self, cache: FrameCache, name: str = "recorded") -> None:
        self.name, self._cache = name, cache
        self._numbers = {key: i for i, key in enumerate(episode_keys(cache))}
        self.fingerprint = f"recorded {cache.path.name}"
        self._rows: Index = np.zeros(0, np.int64)

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the recording shows, and `RECORDED_ACTIONS`."""
        spec = offered_spec(self._cache)
        return replace(spec, extras=(*spec.extras, RECORDED_ACTIONS))

    @property
    def action_spec(self) -> ActionSpec:
        """That of the recording."""
        return self._cache.action_spec

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        """Errors: ReverieError for a scene without `recorded`, of another data set, or with irregular frames."""
        self._rows = np.array([self._number(s) for s in scenes], np.int64)
        self._instructions, self._n_steps = tuple(s.instruction for s in scenes), 0
        return self._show(0)

    def step(self, actions: NDArray[np.float32]) -> Transition:
        """Go on by T steps whatever the actions [B, T, A] are. Errors: ReverieError for another shape."""
        expected = (len(self._rows), "T >= 1", self.action_spec.action_dim)
        if actions.ndim != 3 or actions.shape[::2] != expected[::2] or actions.shape[1] < 1:
            raise ReverieError(f"actions have shape {actions.shape}, expected {expected}; reset the world first")
        every, before = self.observation_spec.frame_every, self._n_steps
        self._n_steps += actions.shape[1]
        numbers = np.arange(before // every + 1, self._n_steps // every + 1)  # of the new frames within an episode
        shown = [self._show(int(n)) for n in numbers]
        return Transition(
            stack_time(shown) if shown else self._show(0).map(lambda v: v[:, None][:, :0]),
            numbers * every,
            numbers < self._lengths()[:, None],
            tuple(self._labels(int(row), before) for row in self._rows),
        )

    def close(self) -> None:
        """Nothing to close."""

    def _number(self, scene: Scene) -> int:
        if scene.recorded is None:
            raise ReverieError(
                f"scene {scene.id!r} names no recorded episode (`recorded`): draw scenes with recorded_scenes"
            )
        if scene.recorded not in self._numbers:
            raise unknown_name(f"recorded episode of {self._cache.path.name}", scene.recorded, list(self._numbers))
        number = self._numbers[scene.recorded]
        steps = self._cache.frame_steps[slice(*self._cache.frame_offsets[number : number + 2])]
        every = self.observation_spec.frame_every
        if not np.array_equal(steps, np.arange(len(steps)) * every):
            raise ReverieError(f"{scene.recorded}: frames after steps {steps}, expected one every {every}")
        return number

    def _lengths(self) -> Index:
        """[B] frames recorded."""
        return np.diff(self._cache.frame_offsets)[self._rows]

    def _show(self, number: int) -> Observations:
        """Frame `number` of every row, or its last one."""
        frames = self._cache.frame_offsets[self._rows] + np.minimum(number, self._lengths() - 1)
        seen = observe(self._cache, frames, self._instructions)
        time_s = np.full(len(frames), number * self.observation_spec.frame_every / self.action_spec.control_hz)
        return replace(seen, time_s=time_s, extras={**seen.extras, RECORDED_ACTIONS: self._ahead(number)})

    def _ahead(self, number: int) -> NDArray[np.float32]:
        """[B, frame_every, A]: what was commanded from frame `number` on."""
        every, offsets = self.observation_spec.frame_every, self._cache.action_offsets
        wanted = offsets[self._rows][:, None] + number * every + np.arange(every)
        return np.array(self._cache.actions[np.minimum(wanted, offsets[self._rows + 1][:, None] - 1)])

    def _labels(self, row: int, before: int) -> tuple[Event, ...]:
        """The label of an episode, if its time lies within the steps just taken."""
        info, hz = self._cache.episodes[row], self.action_spec.control_hz
        if info.success is None:
            return ()
        last = (info.n_frames - 1) * self.observation_spec.frame_every / hz
        when = last if info.success_time_s is None else info.success_time_s
        name = "success" if info.success else "failure"
        return (Event(name, when),) if before / hz < when <= self._n_steps / hz + 1e-9 else ()
