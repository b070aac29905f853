"""A World as a gymnasium environment, for tools that speak that protocol.

One row at a time. Here an episode does end at success, as reinforcement learning expects; Reverie's own evaluation never
ends early. A reward of 1 is given once, at the step of success; where the world measures no success there is none.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from reverie.core import ActionSpec, Observations, ReverieError, Scene, Transition, World

_CHARSET = string.ascii_letters + string.digits + string.punctuation + " "


def as_gymnasium(world: World, scenes: Sequence[Scene], n_steps: int) -> "gymnasium.Env[dict[str, Any], NDArray[np.float32]]":  # fmt: skip
    """An environment that draws one of `scenes` at reset (or `options={"scene": id}`), truncated after n_steps.

    Observations: `image.<camera>`, `commanded`, `measured` and `instruction`; info holds `scene`, `events`, `is_success`.
    """
    if not scenes:
        raise ReverieError("as_gymnasium got no scenes: give at least one")
    return WorldEnv(world, scenes, n_steps)


class WorldEnv(gymnasium.Env[dict[str, Any], NDArray[np.float32]]):
    """See `as_gymnasium`."""

    def __init__(self, world: World, scenes: Sequence[Scene], n_steps: int) -> None:
        self.world, self.scenes, self.n_steps = world, list(scenes), n_steps
        self.metadata = {"render_modes": [], "render_fps": world.action_spec.control_hz}
        self.action_space: spaces.Space[Any] = action_space(world.action_spec)
        self.observation_space = observation_space(world, max(len(s.instruction) for s in scenes))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        scene = self._choose((options or {}).get("scene"))
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        first = self.world.reset([scene], [drawn])
        self._step, self._success, self._seen = 0, False, first
        return gym_observation(first), {"scene": scene.id}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        transition = self.world.step(np.asarray(action, dtype=np.float32)[None, None])
        self._step += 1
        if len(transition.frame_steps):
            self._seen = transition.observations[:, -1]
        before, self._success = self._success, self._success or succeeded(transition)
        info: dict[str, Any] = {"events": [e.name for e in transition.events[0]], "is_success": self._success}
        reward = float(self._success and not before)
        return gym_observation(self._seen), reward, self._success, self._step >= self.n_steps, info

    def close(self) -> None:
        self.world.close()

    def _choose(self, wanted: str | None) -> Scene:
        if wanted is None:
            return self.scenes[int(self.np_random.integers(len(self.scenes)))]
        found = [s for s in self.scenes if s.id == wanted]
        if not found:
            raise ReverieError(f"unknown scene {wanted!r}: known are {[s.id for s in self.scenes][:10]}")
        return found[0]


def action_space(spec: ActionSpec) -> spaces.Box:
    low = np.array(spec.low if spec.low is not None else [-np.inf] * spec.action_dim, dtype=np.float32)
    high = np.array(spec.high if spec.high is not None else [np.inf] * spec.action_dim, dtype=np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def observation_space(world: World, longest_instruction: int) -> spaces.Dict:
    spec = world.observation_spec
    parts: dict[str, spaces.Space[Any]] = {
        f"image.{c.name}": spaces.Box(0, 255, (c.height, c.width, 3), np.uint8) for c in spec.cameras
    }
    for name, values in (("commanded", spec.commanded), ("measured", spec.measured)):
        if values:
            parts[name] = spaces.Box(-np.inf, np.inf, (len(values),), np.float32)
    parts["instruction"] = spaces.Text(max(longest_instruction, 1), min_length=0, charset=_CHARSET)
    return spaces.Dict(parts)


def gym_observation(seen: Observations) -> dict[str, Any]:
    """Row 0 of [1, ...] observations, as new arrays."""
    parts: Mapping[str, NDArray[Any] | None] = {"commanded": seen.commanded, "measured": seen.measured}
    return (
        {f"image.{k}": v[0].copy() for k, v in seen.images.items()}
        | {k: v[0].copy() for k, v in parts.items() if v is not None}
        | {"instruction": seen.instructions[0]}
    )


def succeeded(transition: Transition) -> bool:
    seen = transition.observations.extras.get("success")
    return any(e.name == "success" for e in transition.events[0]) or bool(seen is not None and seen.any())
