"""Gymnasium environments as a World: B copies of one environment, no automatic reset.

Images (uint8, H x W x 3) become cameras; `commanded` is taken by that name; every other vector is measured state. What
its action numbers mean an environment does not say: give an ActionSpec, or get nameless ones.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from reverie.core import (
    ActionSpec,
    CameraSpec,
    Event,
    Observations,
    ObservationSpec,
    ReverieError,
    Scene,
    Transition,
    content_hash,
    stack_time,
)

Env = gymnasium.Env[Any, Any]


def from_gymnasium(
    make: Callable[[], Env],
    *,
    name: str | None = None,
    action_spec: ActionSpec | None = None,
    frame_every: int = 1,
    success_key: str | None = None,
    reset_options: Callable[[Scene], dict[str, Any] | None] = lambda scene: None,
) -> "GymnasiumWorld":
    """A World whose rows are environments from `make`. `success_key` names the entry of `info` that tells success."""
    return GymnasiumWorld(make, name, action_spec, frame_every, success_key, reset_options)


class GymnasiumWorld:
    """See `from_gymnasium`. A row whose environment has ended repeats its last frame with `valid` False."""

    def __init__(
        self,
        make: Callable[[], Env],
        name: str | None,
        action_spec: ActionSpec | None,
        frame_every: int,
        success_key: str | None,
        reset_options: Callable[[Scene], dict[str, Any] | None],
    ) -> None:
        self._make, self._success_key, self._reset_options = make, success_key, reset_options
        self._envs: list[Env] = [make()]
        first = self._envs[0]
        self.name = name or (first.spec.id if first.spec is not None else type(first.unwrapped).__name__)
        self._action_spec = action_spec or nameless_actions(first)
        extras = ("success",) if success_key else ()
        self._observation_spec = observation_spec(first.observation_space, frame_every, extras)

    @property
    def observation_spec(self) -> ObservationSpec:
        return self._observation_spec

    @property
    def action_spec(self) -> ActionSpec:
        return self._action_spec

    @property
    def fingerprint(self) -> str:
        return content_hash(["gymnasium", self.name, gymnasium.__version__, self._observation_spec.to_dict()])

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        while len(self._envs) < len(scenes):
            self._envs.append(self._make())
        self._instructions, self._step = tuple(s.instruction for s in scenes), 0
        self._alive = np.ones(len(scenes), dtype=bool)
        self._success = np.zeros(len(scenes), dtype=bool)
        self._seen = [
            parts_of(env.reset(seed=seed % 2**31, options=self._reset_options(scene))[0])
            for env, scene, seed in zip(self._envs, scenes, seeds, strict=False)
        ]
        return self._observe()

    def step(self, actions: NDArray[np.float32]) -> Transition:
        frames, steps, valid = [self._observe()], [], []
        events: list[list[Event]] = [[] for _ in self._seen]
        for action in np.moveaxis(actions, 1, 0):  # [B, A]
            shown = self._alive.copy()  # the frame in which an environment ends is still a true one
            self._step += 1
            for row in np.flatnonzero(self._alive):
                events[row].extend(self._step_row(int(row), action[row]))
            if self._step % self._observation_spec.frame_every == 0:
                frames.append(self._observe())
                steps.append(self._step)
                valid.append(shown)
        return Transition(
            stack_time(frames)[:, 1:],
            np.array(steps, dtype=np.int64),
            np.array(valid, dtype=bool).reshape(len(steps), len(self._seen)).T,
            tuple(tuple(e) for e in events),
        )

    def close(self) -> None:
        for env in self._envs:
            env.close()

    def _step_row(self, row: int, action: NDArray[np.float32]) -> list[Event]:
        env = self._envs[row]
        seen, _, terminated, truncated, info = env.step(action)
        self._seen[row] = parts_of(seen)
        self._alive[row] = not (terminated or truncated)
        succeeded = bool(self._success_key and info.get(self._success_key, False))
        new = succeeded and not self._success[row]
        self._success[row] |= succeeded
        return [Event("success", self._step / self._action_spec.control_hz)] if new else []

    def _observe(self) -> Observations:
        spec = self._observation_spec
        images = {c.name: np.stack([images_of(parts)[c.name] for parts in self._seen]) for c in spec.cameras}
        commanded = np.stack([p["commanded"] for p in self._seen]).astype(np.float32) if spec.commanded else None
        return Observations(
            images=images,
            time_s=np.full(len(self._seen), self._step / self._action_spec.control_hz),
            instructions=self._instructions,
            commanded=commanded,
            measured=np.stack([measured_of(p) for p in self._seen]) if spec.measured else None,
            extras={"success": self._success.copy()} if self._success_key else {},
        )


def nameless_actions(env: Env) -> ActionSpec:
    """Actions a0, a1, ... of an environment that does not say what they mean."""
    space, rate = env.action_space, env.metadata.get("render_fps")
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise ReverieError(f"action space is {space}: expected a Box with one dimension (Discrete cannot be converted)")
    if not rate:
        raise ReverieError("the environment does not say its rate (metadata['render_fps']): give an action_spec")
    n = space.shape[0]
    low, high = (None if np.isinf(v).any() else tuple(float(x) for x in v) for v in (space.low, space.high))
    absolute: Literal["absolute"] = "absolute"
    names = tuple(f"a{i}" for i in range(n))
    return ActionSpec(names, ("1",) * n, (absolute,) * n, "base", "none", "none", float(rate), low, high)


def parts_of(seen: Any) -> dict[str, Any]:
    """An observation as a dictionary; a bare array is an image or the state."""
    if isinstance(seen, dict):
        return seen
    value = np.asarray(seen)
    return {"image" if value.ndim == 3 else "state": value}


def images_of(parts: dict[str, Any]) -> dict[str, NDArray[np.uint8]]:
    return {k.removeprefix("image."): v for k, v in parts.items() if is_image(v)}


def is_image(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[-1] == 3


def vectors_of(parts: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return {k: v for k, v in parts.items() if isinstance(v, np.ndarray) and not is_image(v) and k != "commanded"}


def measured_of(parts: dict[str, Any]) -> NDArray[np.float32]:
    return np.concatenate([np.ravel(v) for v in vectors_of(parts).values()]).astype(np.float32)


def observation_spec(space: spaces.Space[Any], frame_every: int, extras: tuple[str, ...]) -> ObservationSpec:
    """Derived from one sample of the space: only shapes and kinds are used."""
    parts = parts_of(space.sample())
    vectors = vectors_of(parts)
    return ObservationSpec(
        cameras=tuple(CameraSpec(k, v.shape[0], v.shape[1]) for k, v in images_of(parts).items()),
        commanded=tuple(f"commanded[{i}]" for i in range(len(parts.get("commanded", ())))),
        measured=tuple(f"{k}[{i}]" for k, v in vectors.items() for i in range(v.size)),
        extras=extras,
        frame_every=frame_every,
    )
