"""A toy world that keeps every contract of the design: a dot is moved on a small image, a success is latched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core.episode import Episode
from reverie.core.fakes.specs import ACTION_SPEC, HOLD_STEPS, NEAR, OBSERVATION_SPEC, SIZE, STATE_NAMES, fake_scenes
from reverie.core.observations import Observations, stack_time
from reverie.core.scene import Scene
from reverie.core.seeding import content_hash, generator
from reverie.core.specs import ActionSpec, ObservationSpec
from reverie.core.world import Event, Transition

Array = NDArray[np.float64]


def _camera_matrices() -> NDArray[np.float32]:
    """[2, 3, 4]: the front camera sees (x, y), the top camera (y, x)."""
    scale = SIZE - 1
    front = [[scale, 0, 0, 0], [0, scale, 0, 0], [0, 0, 0, 1]]
    return np.array([front, [front[1], front[0], front[2]]], dtype=np.float32)


def _draw(state: Array, goal: Array) -> NDArray[np.uint8]:
    """[B, 4] and [B, 2] -> [B, S, S, 3]: a green square, a white dot that darkens as the gripper closes."""
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="xy"), axis=-1) / (SIZE - 1)
    image = np.full((len(state), SIZE, SIZE, 3), 40.0)
    image[np.abs(grid - goal[:, None, None]).max(-1) < 0.1] = (0, 180, 0)
    dot = np.clip(1 - np.linalg.norm(grid - state[:, None, None, :2], axis=-1) / 0.12, 0, 1)[..., None]
    image = image * (1 - dot) + (130 + 120 * state[:, None, None, 3:]) * dot
    return np.asarray(image.round(), dtype=np.uint8)


@dataclass
class FakeWorld:
    """A dot at (x, y) in the unit square is moved by clipped deltas, with drift and per-row noise (both per step).

    Success: within NEAR of the goal for HOLD_STEPS steps. A world with `measures` False is like a video world: it
    reports neither measured state nor success nor object poses.
    """

    name: str = "fake"
    noise: float = 0.0
    drift: tuple[float, float] = (0.0, 0.0)
    measures: bool = True

    @property
    def observation_spec(self) -> ObservationSpec:
        if self.measures:
            return OBSERVATION_SPEC
        return ObservationSpec(OBSERVATION_SPEC.cameras, STATE_NAMES, extras=("camera_matrices",), frame_every=2)

    @property
    def action_spec(self) -> ActionSpec:
        return ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        return content_hash(["fake world 1", self.noise, self.drift, self.measures])

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        self._instructions = tuple(s.instruction for s in scenes)
        self._rngs = [generator("fake world", seed) for seed in seeds]
        self._goal = np.array([(s.placement(s.target).x, s.placement(s.target).y) for s in scenes])
        start = np.array([s.robot_start[:2] for s in scenes])
        self._commanded = np.concatenate([start, np.zeros_like(start[:, :1]), np.ones_like(start[:, :1])], axis=1)
        self._state = self._commanded.copy()
        self._held = np.zeros(len(scenes), dtype=np.int64)
        self._success = np.zeros(len(scenes), dtype=bool)
        self._step = 0
        return self._observe()

    def step(self, actions: NDArray[np.float32]) -> Transition:
        frames, frame_steps = [self._observe()], []
        events: list[list[Event]] = [[] for _ in self._rngs]
        for action in np.moveaxis(actions, 1, 0):  # [B, A]
            self._advance(action)
            self._latch(events)
            if self._step % OBSERVATION_SPEC.frame_every == 0:
                frames.append(self._observe())
                frame_steps.append(self._step)
        stacked = stack_time(frames)[:, 1:]
        return Transition(
            stacked,
            np.array(frame_steps, dtype=np.int64),
            np.ones((len(self._rngs), len(frame_steps)), dtype=bool),
            tuple(tuple(e) for e in events),
        )

    def close(self) -> None:
        """Nothing to close."""

    def _advance(self, action: NDArray[np.float32]) -> None:
        delta = np.clip(action[:, :2].astype(np.float64), -0.1, 0.1)
        jitter = np.array([rng.normal(0.0, self.noise, 2) if self.noise else (0.0, 0.0) for rng in self._rngs])
        self._commanded[:, :2] = np.clip(self._commanded[:, :2] + delta, 0, 1)
        self._state[:, :2] = np.clip(self._state[:, :2] + delta + jitter + self.drift, 0, 1)
        self._commanded[:, 3] = self._state[:, 3] = np.clip(action[:, 2], 0, 1)
        self._step += 1

    def _latch(self, events: list[list[Event]]) -> None:
        near = np.linalg.norm(self._state[:, :2] - self._goal, axis=1) < NEAR
        self._held = np.where(near, self._held + 1, 0)
        new = (self._held >= HOLD_STEPS) & ~self._success
        self._success |= new
        for row in np.flatnonzero(new) if self.measures else ():
            events[row].append(Event("success", self._step / ACTION_SPEC.control_hz))

    def _observe(self) -> Observations:
        rows = len(self._rngs)
        image = _draw(self._state, self._goal)
        extras: dict[str, NDArray[np.generic]] = {"camera_matrices": np.stack([_camera_matrices()] * rows)}
        if self.measures:
            extras["success"] = self._success.copy()
            extras["object_poses"] = self._goal[:, None].astype(np.float32)  # [B, objects, 2]
        return Observations(
            images={"front": image, "top": np.ascontiguousarray(image.swapaxes(1, 2))},
            time_s=np.full(rows, self._step / ACTION_SPEC.control_hz),
            instructions=self._instructions,
            commanded=self._commanded.astype(np.float32),
            measured=self._state.astype(np.float32) if self.measures else None,
            extras=extras,
        )


def tiny_episode(n_frames: int = 4, success: bool | None = True) -> Episode:
    """An episode of the fake world: n_frames frames, two control steps apart, of a dot that moves to the right."""
    world, scene = FakeWorld(), fake_scenes(1)[0]
    first = world.reset([scene], [0])
    n_steps = (n_frames - 1) * OBSERVATION_SPEC.frame_every
    actions = np.tile(np.array([0.05, 0.0, 1.0], dtype=np.float32), (n_steps, 1))
    later = [world.step(actions[None, i : i + 2]).observations[:, -1] for i in range(0, n_steps, 2)]
    frames = stack_time([first, *later])[0]
    return Episode(
        observations=frames,
        frame_steps=np.arange(n_frames, dtype=np.int64) * OBSERVATION_SPEC.frame_every,
        actions=actions,
        observation_spec=OBSERVATION_SPEC,
        action_spec=ACTION_SPEC,
        instruction=scene.instruction,
        success=success,
        success_time_s=1.0 if success else None,
        scene=scene,
        provenance={"source": "expert"},
    )
