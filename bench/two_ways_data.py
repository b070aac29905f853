"""A hand before a post: the world of `bench/two_ways.py`, and demonstrators that pass it left or right.

x is the way ahead and y to the left, metres. Everybody is told the same, and nothing that can be seen says which way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reverie.core import (
    ActionChunk,
    ActionSpec,
    CameraSpec,
    Episode,
    Event,
    Memory,
    Observations,
    ObservationSpec,
    Scene,
    Transition,
    content_hash,
    generator,
    stack_time,
)
from reverie.data.cache import FrameCache
from reverie.data.episode_info import EpisodeInfo
from reverie.rollouts import rollout

Array = NDArray[np.float64]
SIZE, HZ, N_STEPS = 32, 10.0, 26
POST, TARGET = np.array([0.2, 0.0]), np.array([0.4, 0.0])
POST_RADIUS, TARGET_RADIUS, STEP_M = 0.045, 0.03, 0.02
"""A hand closer than POST_RADIUS to the post's middle touches it. STEP_M: what a demonstrator advances in a control step."""
_LEFT_EDGE, _NEAR_EDGE, _SIDE_M = 0.25, -0.05, 0.5  # what the camera sees
_PIECES = 8  # of a control step, at each of which the post is felt: a step is half as long as the post is thick
ACTION_SPEC = ActionSpec(
    ("dx", "dy"), ("m", "m"), ("delta", "delta"), "base", "none", "none", HZ, (-0.04,) * 2, (0.04,) * 2
)
OBSERVATION_SPEC = ObservationSpec((CameraSpec("top", SIZE, SIZE),), ("x", "y"), extras=("success", "touched"))
STATE_SPEC = ObservationSpec((), ("x", "y"))


def two_ways_scenes(n: int, split: str) -> list[Scene]:
    """The hand begins within some millimetres of (0, 0)."""
    starts = [generator("two ways", split, i).normal(0, 0.003, 2) for i in range(n)]
    return [
        Scene(f"two_ways/{split}/{i}", "two_ways", "go behind the post", robot_start=(float(x), float(y), 0, 0, 0, 0))
        for i, (x, y) in enumerate(starts)
    ]


@dataclass
class TwoWays:
    """The hand moves by the commanded deltas. Where it touches the post it stays for good; success is to reach the target."""

    name: str = "two_ways"
    observation_spec: ObservationSpec = OBSERVATION_SPEC
    action_spec: ActionSpec = ACTION_SPEC

    @property
    def fingerprint(self) -> str:
        return content_hash(["two ways 1", POST_RADIUS, TARGET_RADIUS])

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        self._instructions = tuple(s.instruction for s in scenes)
        self._at = np.array([s.robot_start[:2] for s in scenes])
        self._touched, self._reached = np.zeros(len(scenes), np.bool_), np.zeros(len(scenes), np.bool_)
        self._step = 0
        return self._observe()

    def step(self, actions: NDArray[np.float32]) -> Transition:
        frames, before = list[Observations](), self._step
        events: list[list[Event]] = [[] for _ in self._at]
        for action in np.moveaxis(actions, 1, 0):  # [B, A]
            self._advance(action, events)
            frames.append(self._observe())
        return Transition(
            stack_time(frames),
            np.arange(before + 1, self._step + 1),
            np.ones(actions.shape[:2], np.bool_),
            tuple(tuple(e) for e in events),
        )

    def close(self) -> None:
        """Nothing to close."""

    def _advance(self, action: NDArray[np.float32], events: list[list[Event]]) -> None:
        piece = np.clip(action.astype(np.float64), ACTION_SPEC.low, ACTION_SPEC.high) / _PIECES
        touched = self._touched.copy()
        for _ in range(_PIECES):
            self._at = np.where(touched[:, None], self._at, self._at + piece)
            touched |= np.linalg.norm(self._at - POST, axis=1) < POST_RADIUS
        reached = self._reached | (np.linalg.norm(self._at - TARGET, axis=1) < TARGET_RADIUS)
        self._step += 1
        for name, now, before in (("touched", touched, self._touched), ("success", reached, self._reached)):
            for row in np.flatnonzero(now & ~before):
                events[row].append(Event(name, self._step / HZ))
        self._touched, self._reached = touched, reached

    def _observe(self) -> Observations:
        return Observations(
            images={"top": picture_of(self._at)},
            time_s=np.full(len(self._at), self._step / HZ),
            instructions=self._instructions,
            commanded=self._at.astype(np.float32),
            extras={"success": self._reached.copy(), "touched": self._touched.copy()},
        )


def picture_of(hands: Array) -> NDArray[np.uint8]:
    """[B, 2] -> [B, S, S, 3], ahead is up: grey post, green target, and a white hand with soft edges."""
    down, across = np.mgrid[:SIZE, :SIZE] / (SIZE - 1)
    places = np.stack([_NEAR_EDGE + _SIDE_M * (1 - down), _LEFT_EDGE - _SIDE_M * across], axis=-1)  # [S, S, 2]
    image = np.full((SIZE, SIZE, 3), 40.0)
    image[np.linalg.norm(places - POST, axis=-1) < POST_RADIUS] = 120
    image[np.linalg.norm(places - TARGET, axis=-1) < TARGET_RADIUS] = (0, 180, 0)
    hand = np.clip(1.5 - np.linalg.norm(places - hands[:, None, None], axis=-1) / 0.02, 0, 1)[..., None]
    return np.asarray((image * (1 - hand) + 255 * hand).round(), np.uint8)


@dataclass
class Demonstrator:
    """Goes round the post in half a sine, `left` of all times to the left, which it decides at its first step, remembers,
    and corrects its own noise on the way."""

    left: float = 0.6
    name: str = "demonstrator"
    observation_spec: ObservationSpec = STATE_SPEC
    action_spec: ActionSpec = ACTION_SPEC
    n_action_steps: int = 1

    @property
    def fingerprint(self) -> str:
        return content_hash(["two ways demonstrator 1", self.left])

    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        assert observations.commanded is not None
        memory = memory or {"bow": np.array([self._bow(s) for s in seeds])}
        at = observations.commanded[:, -1].astype(np.float64)
        ahead = np.minimum(at[:, 0] + STEP_M, TARGET[0])
        wanted = np.stack([ahead, memory["bow"] * np.sin(np.pi * ahead / TARGET[0])], axis=1)
        shake = np.stack([generator("shake", s).normal(0, 0.0015, 2) for s in seeds])
        step = np.clip(wanted - at, -2 * STEP_M, 2 * STEP_M) + shake
        return ActionChunk(step[:, None].astype(np.float32), self.action_spec), memory

    def _bow(self, seed: int) -> float:
        """How far to the left, metres."""
        rng = generator("bow", seed)
        return float((1 if rng.random() < self.left else -1) * rng.normal(0.1, 0.008))


def demonstrate(n: int, left: float, split: str = "train") -> list[Episode]:
    return rollout(Demonstrator(left), TwoWays(), two_ways_scenes(n, split), range(n), N_STEPS)


def as_cache(episodes: Sequence[Episode]) -> FrameCache:
    """Episodes of one length as a data set in memory."""
    n_frames, n_steps = episodes[0].n_frames, episodes[0].n_steps
    states = [e.observations.commanded for e in episodes]
    return FrameCache(
        path=Path("two-ways-" + content_hash([np.concatenate(states).tolist()])),
        images={"top": np.concatenate([e.observations.images["top"] for e in episodes])},
        frames={
            "commanded": np.concatenate(states),
            "time_s": np.concatenate([e.observations.time_s for e in episodes]),
        },
        frame_steps=np.concatenate([e.frame_steps for e in episodes]),
        actions=np.concatenate([e.actions for e in episodes]),
        frame_offsets=np.arange(len(episodes) + 1) * n_frames,
        action_offsets=np.arange(len(episodes) + 1) * n_steps,
        episodes=[
            EpisodeInfo(e.instruction, n_frames, n_steps, e.success, e.success_time_s, e.scene) for e in episodes
        ],
        observation_spec=ObservationSpec(OBSERVATION_SPEC.cameras, OBSERVATION_SPEC.commanded),
        action_spec=ACTION_SPEC,
    )
