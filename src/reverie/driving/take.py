"""Take: one drive in one scene, from its reset to the episode that it makes."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reverie.collection.collect import completed
from reverie.core import ActionChunk, Episode, Observations, ReverieError, Scene, TrialKey, World
from reverie.core.tiling import tile
from reverie.driving.keys import Keyboard
from reverie.embodiments import panda
from reverie.report.overlay import Polyline, lines_over
from reverie.rollouts.noisy import noisy
from reverie.rollouts.recording import Recording
from reverie.rollouts.seeds import RowSeeds
from reverie.scenes.tasks import NOMINAL, SPLITS

SOURCE = "person"
"""Provenance: who drove. `reverie train ... --cloning.sources person` imitates it."""


class Take:
    """The scene begins as in every evaluation: again is the same again. Errors: ReverieError of the world, and for a robot
    that keys cannot drive."""

    def __init__(self, world: World, scene: Scene, speed: float) -> None:
        self.scene, self._world = scene, noisy(world, [scene])
        first = self._world.reset([scene], [RowSeeds.of(TrialKey(SOURCE, world.name, scene.id)).scene])
        self.keyboard = Keyboard(world.action_spec, world.observation_spec, first, speed)
        self._recording, self._spec = Recording.start(first), world.observation_spec
        self.n_steps, self.ended = 0, False
        self.success = False if "success" in first.extras else None

    def step(self, held: Collection[str]) -> bool:
        """One control step with these keys held; whether it brought a new frame."""
        action = self.keyboard.action(held)[None, None]
        transition = self._world.step(action)
        self._recording.add(ActionChunk(action, self._world.action_spec), 1, transition)
        self.n_steps += 1
        self.ended = not transition.valid.all()
        if any(e.name == "success" for e in transition.events[0]):
            self.success = True
        return len(transition.frame_steps) > 0

    @property
    def seen(self) -> Observations:
        """The newest frame, [1, ...]."""
        return self._recording.frames[-1]

    @property
    def picture(self) -> NDArray[np.uint8]:
        """Every camera of it in one, [H, W, 3]."""
        picture: NDArray[np.uint8] = tile(self.seen.images, self._spec)[0]
        return picture

    @property
    def lines(self) -> list[Polyline]:
        """Where the hand was told to be, in its pixels; empty without calibration."""
        found = lines_over(self.seen, self._spec)
        return found[0] if found else []

    def episode(self) -> Episode:
        """What was driven, up to the last frame. Errors: ReverieError where that is nothing yet."""
        if len(self._recording.frames) < 2:
            raise ReverieError("nothing was driven yet: hold a key that moves the hand, then save")
        made_by = {"source": SOURCE} | ({"split": split} if (split := split_of(self.scene)) else {})
        (driven,) = self._recording.episodes_by(made_by, self._world.action_spec, self._world, [self.scene])
        episode = replace(driven, actions=driven.actions[: driven.frame_steps[-1]])
        ours = self._spec.commanded == panda.STATE_NAMES and episode.action_spec == panda.ACTION_SPEC
        return completed(episode, {}) if ours else episode


def split_of(scene: Scene) -> str | None:
    """As its id says ("put/test/17"); the benchmark's scenes are held out like those of "test"."""
    named = next((part for part in scene.id.split("/") if part in (*SPLITS, NOMINAL)), None)
    return "test" if named == NOMINAL else named
