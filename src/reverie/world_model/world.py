"""VideoWorld: the same two verbs as physics, with a TileModel in the place of consequences.

It starts from the first observation of another world (`starter`: physics at reset, or a recorded episode) and never asks
it again. Commands are integrated by the robot; one new frame is generated every `frame_every` control steps. It measures
nothing: no success, no measured state. What it passes on of the start (`start_poses`, `kinds`, `goals`) is what a script
may know before the first step.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import ActionSpec, Observations, ObservationSpec, ReverieError, Scene, Transition, World, stack_time
from reverie.core.world import Event, refusal
from reverie.world_model.conditioning import Frames
from reverie.world_model.model import TileModel, WorldBatch
from reverie.world_model.robots import Robot

PASSED_ON = ("start_poses", "kinds", "goal", "goals")


class VideoWorld:
    """`autocast` None runs in float32. Rows are independent up to floating point."""

    def __init__(
        self,
        model: TileModel,
        robot: Robot,
        starter: World,
        fingerprint: str,
        name: str = "video",
        autocast: torch.dtype | None = None,
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self._model, self._robot, self._starter, self._autocast = model.eval(), robot, starter, autocast
        self._check(model, starter)

    @staticmethod
    def _check(model: TileModel, starter: World) -> None:
        config, spec = model.config, starter.observation_spec
        sizes = {(c.height, c.width) for c in spec.cameras}
        wanted = (config.n_views, {(config.height, config.width)}, config.frame_every, config.action_dim)
        found = (len(spec.cameras), sizes, spec.frame_every, starter.action_spec.action_dim)
        if wanted != found:
            raise ReverieError(
                "the video world was trained for other data than it should start from: (cameras, sizes, frame_every, "
                f"action_dim) are {wanted} in the checkpoint and {found} in {starter.name!r}"
            )

    @property
    def observation_spec(self) -> ObservationSpec:
        spec = self._starter.observation_spec
        extras = tuple(e for e in PASSED_ON if e in spec.extras)
        calibrated = ("camera_matrices",) if self._model.config.calibrated else ()
        return replace(spec, measured=(), commanded=self._robot.state_names, extras=(*extras, *calibrated))

    @property
    def action_spec(self) -> ActionSpec:
        return self._starter.action_spec

    def reset(self, scenes: Sequence[Scene], seeds: Sequence[int]) -> Observations:
        if blind := next((reason for s in scenes if (reason := refusal(s, self.observation_spec))), None):
            raise ReverieError(blind)
        first = self._starter.reset(scenes, seeds)
        self._cameras = tuple(first.images)
        images = np.stack([first.images[c] for c in self._cameras], axis=1)  # [B, V, H, W, 3]
        self._commanded = self._robot.begin(first)
        states = self._commanded.astype(np.float32)
        self._frames = Frames.begin(_to_tensor(images), states, self._robot.rigs(scenes))
        self._kept = {k: first.extras[k] for k in PASSED_ON if k in first.extras}
        self._instructions, self._n_steps = first.instructions, 0
        self._pending: list[NDArray[np.float32]] = []
        return self._observe(images)

    def step(self, actions: NDArray[np.float32]) -> Transition:
        self._check_actions(actions)
        shown, steps = [], []
        for t in range(actions.shape[1]):
            self._commanded = self._robot.integrate(self._commanded, actions[:, t])
            self._pending.append(actions[:, t])
            self._n_steps += 1
            if len(self._pending) == self._model.config.frame_every:
                shown.append(self._observe(self._generate()))
                steps.append(self._n_steps)
        observations = stack_time(shown) if shown else self._nothing_new()
        valid = np.ones((len(actions), len(steps)), np.bool_)
        no_events: tuple[tuple[Event, ...], ...] = ((),) * len(actions)
        return Transition(observations, np.array(steps, np.int64), valid, no_events)

    @torch.no_grad()
    def _generate(self) -> NDArray[np.uint8]:
        states = self._commanded.astype(np.float32)
        conditioning = self._robot.condition(self._frames, states)
        batch = WorldBatch(self._frames, np.stack(self._pending, axis=1), states, conditioning)
        self._pending = []
        with torch.autocast("cpu", self._autocast or torch.bfloat16, enabled=self._autocast is not None):
            new = self._model.predict(batch)
        images = _to_images(new)
        self._frames = self._frames.push(
            _to_tensor(images), states, conditioning.mask if conditioning else None
        )  # what is remembered is what was shown
        return images

    def _observe(self, images: NDArray[np.uint8]) -> Observations:
        matrices = self._robot.camera_matrices(self._commanded, self._frames.rigs)
        extras: dict[str, Any] = dict(self._kept)
        if matrices is not None:
            extras["camera_matrices"] = matrices
        hz = self.action_spec.control_hz
        return Observations(
            images={c: images[:, i] for i, c in enumerate(self._cameras)},
            time_s=np.full(len(images), round(self._n_steps / hz, 6)),
            instructions=self._instructions,
            commanded=self._commanded.astype(np.float32),
            extras=extras,
        )

    def _nothing_new(self) -> Observations:
        return self._observe(_to_images(self._frames.last)).map(lambda v: v[:, None][:, :0])

    def _check_actions(self, actions: NDArray[np.float32]) -> None:
        expected = (len(self._commanded), "T >= 1", self._model.config.action_dim)
        if actions.ndim != 3 or (actions.shape[0], actions.shape[2]) != expected[::2] or actions.shape[1] < 1:
            raise ReverieError(f"actions have shape {actions.shape}, expected {expected}; reset the world first")
        if not np.isfinite(actions).all():
            raise ReverieError("actions hold values that are not finite")

    def close(self) -> None:
        self._starter.close()


def _to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """[B, V, H, W, 3] uint8 -> [B, V, 3, H, W] in 0..1"""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 1, 4, 2, 3))).float() / 255


def _to_images(frames: Tensor) -> NDArray[np.uint8]:
    """The inverse of `_to_tensor`, rounded."""
    return np.ascontiguousarray((frames * 255).round().clamp(0, 255).to(torch.uint8).numpy().transpose(0, 1, 3, 4, 2))
