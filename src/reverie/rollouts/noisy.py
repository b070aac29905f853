"""Noisy: a world seen through sensors with noise, in the rows whose scene asks for it. What happens in it does not change.

`scene.look["noise"]` holds `sigma`, the standard deviation on every pixel of every camera (of 255), and a `seed`. The noise of
a frame is drawn from (seed, camera, control step), so that it is the same in every world, for every policy, and however many
steps are taken at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, Observations, ObservationSpec, Scene, Transition, World, generator

Images = NDArray[np.uint8]


def noisy(world: World, scenes: Sequence[Scene]) -> World:
    """The world itself where no scene asks for noise."""
    return Noisy(world) if any("noise" in s.look for s in scenes) else world


@dataclass
class Noisy:
    """A World around another one; name and fingerprint are the inner one's: the noise belongs to the scene."""

    inner: World
    name: str = field(init=False)
    _noise: Sequence[Mapping[str, Any] | None] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self.name = self.inner.name

    @property
    def observation_spec(self) -> ObservationSpec:
        return self.inner.observation_spec

    @property
    def action_spec(self) -> ActionSpec:
        return self.inner.action_spec

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        self._noise = [s.look.get("noise") for s in scenes]
        first = self.inner.reset(scenes, seeds)
        return replace(first, images={c: self._added(c, v[:, None], [0])[:, 0] for c, v in first.images.items()})

    def step(self, actions: NDArray[np.float32]) -> Transition:
        found = self.inner.step(actions)
        steps, seen = found.frame_steps.tolist(), found.observations
        images = {c: self._added(c, v, steps) for c, v in seen.images.items()}
        return replace(found, observations=replace(seen, images=images))

    def _added(self, camera: str, images: Images, steps: Sequence[int]) -> Images:
        """[B, T, H, W, 3] with noise on the rows that have any."""
        changed = images.copy()
        for row, noise in enumerate(self._noise):
            for t, step in enumerate(steps if noise else ()):
                assert noise is not None
                rng = generator("noise", int(noise["seed"]), camera, step)
                drawn = rng.normal(0.0, float(noise["sigma"]), images.shape[2:])
                changed[row, t] = np.clip(np.rint(images[row, t] + drawn), 0, 255).astype(np.uint8)
        return changed

    def close(self) -> None:
        self.inner.close()
