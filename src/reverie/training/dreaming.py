"""Batches for the video world: short sequences of recorded frames with the commands between them.

Sequences start anywhere in an episode where something is about to move, from recorded frames or from dreamt ones of the same
moment (`starts`). A batch is a function of its step alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import content_hash
from reverie.data import FrameCache
from reverie.data.held_out import held_out_episodes
from reverie.training.commands import commanded_states
from reverie.training.sampler import WeightedSampler
from reverie.training.source import WHOLE
from reverie.training.starts import Starts
from reverie.world_model.conditioning import GRIP_OPENING, OPENING
from reverie.world_model.robots import Robot

IDLE_WEIGHT = 0.1
_STILL_M = 1e-3


@dataclass(frozen=True)
class DreamingConfig:
    """length: frames generated per sequence; validation_fraction: of the episodes, for data that have no
    split of their own. dreamt_share: of the sequences, how many start from dreamt frames, where there are any."""

    length: int = 8
    dreamt_share: float = 0.5
    validation_fraction: float = 0.025
    n_validation: int = 48
    seed: int = 0


class DreamingSource:
    """Batch entries: first, before, last: uint8 [B, V, 3, H, W]; targets, robot: uint8 [B, L, V, 3, H, W]; mask,
    mask_before: bool [B, L, V, 1, H, W]; states, grasp_states, held_states [B, D]; new_states [B, L, D]; actions [B, L, frame_every, A].

    Of a robot without calibration, drawings and masks are absent.
    """

    def __init__(
        self,
        cache: FrameCache,
        robot: Robot,
        config: DreamingConfig,
        dreamt: Sequence[FrameCache] = (),
    ) -> None:
        self.cache, self.config, self._conditioner = cache, config, robot.conditioner
        self._starts = Starts.of(cache, dreamt)
        self._states = commanded_states(cache, robot)
        self._episode_of = np.repeat(np.arange(len(cache.episodes)), np.diff(cache.frame_offsets))
        self._grasp, self._held = grasp_frames(
            self._states, cache.frame_offsets, calibrated=robot.conditioner is not None
        )
        weights = self._weights()
        held_out = held_out_episodes(cache, config.validation_fraction)[self._episode_of]
        shown = self._starts.weights(np.where(held_out, 0.0, weights), config.dreamt_share)
        self._sampler = WeightedSampler(shown, config.seed)
        self._held_out = WeightedSampler(held_out * weights, config.seed) if (held_out * weights).any() else None

    @property
    def fingerprint(self) -> str:
        names = [c.path.name for c in self._starts.caches]
        return content_hash({"data": names, "config": repr(self.config)})

    def batch(self, step: int, size: int, rows: slice = WHOLE) -> dict[str, Any]:
        return self._make(self._sampler.rows(step, size)[rows])

    def validation(self) -> Mapping[str, Iterable[dict[str, Any]]]:
        if self._held_out is None:
            return {}
        held_out, n = self._held_out, self.config.n_validation
        return {"held_out": (self._make(held_out.rows(i, 8)) for i in range(n // 8))}

    def _weights(self) -> NDArray[np.float64]:
        """0 where a sequence would leave its episode, little where the robot stands still throughout."""
        length, offsets = self.config.length, self.cache.frame_offsets
        ends = offsets[self._episode_of + 1]
        frame = np.arange(len(self._episode_of))
        fits = frame + length < ends
        moving = np.zeros(len(frame))
        moving[:-1] = np.abs(np.diff(self._states, axis=0)).max(1) > _STILL_M
        ahead = np.minimum(frame + length, len(frame) - 1)
        cumulative = np.concatenate([[0.0], np.cumsum(moving)])
        share = (cumulative[ahead] - cumulative[frame]) / length
        return np.where(fits, IDLE_WEIGHT + share, 0.0)

    def _make(self, starts: NDArray[np.int64]) -> dict[str, Any]:
        length, views = self.config.length, self._starts.views
        rows = self._starts.recorded[starts]
        ahead = rows[:, None] + np.arange(1, length + 1)  # [B, L]
        batch: dict[str, Any] = {
            "first": views(self.cache.frame_offsets[self._episode_of[rows]]),
            "before": views(np.maximum(starts - 1, self._starts.begins[starts])),
            "last": views(starts),
            "targets": torch.stack([views(a) for a in ahead.T], dim=1),
            "states": torch.from_numpy(self._states[rows]),
            "grasp_states": torch.from_numpy(self._states[self._grasp[rows]]),
            "held_states": torch.from_numpy(self._states[self._held[rows]]),
            "new_states": torch.from_numpy(self._states[ahead]),
            "actions": torch.from_numpy(np.stack([self._actions(r) for r in rows])),
        }
        if self._conditioner is not None:
            batch |= self._drawn(np.concatenate([rows[:, None], ahead], axis=1))
        return batch

    def _actions(self, row: int) -> NDArray[np.float32]:
        """[L, frame_every, A]: the commands between this frame and the L next ones."""
        every, episode = self.cache.observation_spec.frame_every, self._episode_of[row]
        begin = self.cache.action_offsets[episode] + self.cache.frame_steps[row]
        chunk = self.cache.actions[begin : begin + self.config.length * every]
        return np.asarray(chunk).reshape(self.config.length, every, -1)

    def _drawn(self, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        assert self._conditioner is not None
        b, n = rows.shape
        robot, mask = self._conditioner.draw(self._states[rows.reshape(-1)])
        robot = (robot * 255).round().to(torch.uint8).reshape(b, n, *robot.shape[1:])
        shown = (mask > 0.5).reshape(b, n, *mask.shape[1:])
        return {"robot": robot[:, 1:], "mask": shown[:, 1:], "mask_before": shown[:, :-1]}


def grasp_frames(states: NDArray[np.float32], offsets: NDArray[np.int64], calibrated: bool) -> NDArray[np.int64]:
    """[2, F]: for each frame those whose states are `grasp_states` and `held_states` (`Frames.push`, unrolled)."""
    grasp, held = np.arange(len(states)), np.arange(len(states))
    if not calibrated:
        return np.stack([grasp, held])
    starts, closed = set(offsets[:-1].tolist()), states[:, OPENING] < GRIP_OPENING
    for f in range(1, len(states)):
        kept = closed[f - 1] if closed[f] else closed[grasp[f - 1]]
        if kept and f not in starts:
            grasp[f] = grasp[f - 1]
            held[f] = f if closed[f] else held[f - 1]
    return np.stack([grasp, held])
