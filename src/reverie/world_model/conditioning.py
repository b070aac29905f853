"""What a calibrated robot adds to a frame: the pose map, and copies of older frames moved as the hand or the camera moved.

A data set without calibration has none of this: its conditioning is `None`, and the video world works with what is left.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.embodiments import panda
from reverie.embodiments.cameras import Camera
from reverie.embodiments.drawing import PoseMap
from reverie.world_model.geometry import carried_homography, plane_homography, warp

Array = NDArray[np.float64]
TABLE_M, OBJECT_TOP_M, MIDDLE_M = 0.0, 0.03, 0.015
_OVERVIEW = next(c for c in panda.CAMERAS if c.name == "top")
GRIP_OPENING = 0.5
"""Below this commanded opening the hand may hold something: the frame at which it closed is the keyframe."""


@dataclass(frozen=True)
class Conditioning:
    """robot [B, V, 3, H, W] in 0..1 and mask [B, V, 1, H, W] at the new frame, mask_before at the last one; moved
    [B, V, 3, 3, H, W]: three copies per view (fixed views: with the hand from the last frame, with the hand from the
    keyframe, the first frame; moving views: over the table, over object tops, from the overview camera)."""

    robot: Tensor
    mask: Tensor
    mask_before: Tensor
    moved: Tensor


class PandaConditioner:
    """Draws and warps for the tabletop arm. One graphics context per process."""

    def __init__(self) -> None:
        self._pose_map = PoseMap()

    def draw(self, states: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        """Commanded states [B, 15] -> robot [B, V, 3, H, W] and mask [B, V, 1, H, W], float32."""
        drawn = [self._pose_map.draw(s) for s in states]
        rgb = torch.from_numpy(np.stack([d[0] for d in drawn])).permute(0, 1, 4, 2, 3).float() / 255
        mask = torch.from_numpy(np.isfinite(np.stack([d[1] for d in drawn]))).float()[:, :, None]
        return rgb, mask

    def __call__(self, frames: "Frames", new: NDArray[np.float32]) -> Conditioning:
        robot, mask = self.draw(new)
        mask_before = frames.mask if frames.mask is not None else self.draw(frames.states)[1]
        return Conditioning(robot, mask, mask_before, moved_copies(frames, new))


def moved_copies(frames: "Frames", new: NDArray[np.float32]) -> Tensor:
    """[B, V, 3, 3, H, W]: see `Conditioning.moved`. Needs calibration, no drawing."""
    states = new.astype(np.float64)
    return torch.stack([_copies(i, c, frames, states) for i, c in enumerate(panda.CAMERAS)], dim=1)


def _copies(index: int, camera: Camera, frames: "Frames", new: Array) -> Tensor:
    """[B, 3, 3, H, W]"""
    last, old = frames.last[:, index], frames.states.astype(np.float64)
    if camera.mount == "base":
        key = frames.key_states.astype(np.float64)
        copies = [
            warp(last, carried_homography(camera, new, old)),
            warp(frames.key[:, index], carried_homography(camera, new, key)),
            frames.first[:, index],
        ]
    else:
        top = frames.last[:, panda.CAMERAS.index(_OVERVIEW)]
        copies = [
            warp(last, plane_homography(camera, new, camera, old, TABLE_M)),
            warp(last, plane_homography(camera, new, camera, old, OBJECT_TOP_M)),
            warp(top, plane_homography(camera, new, _OVERVIEW, old, MIDDLE_M)),
        ]
    return torch.stack(copies, dim=1)


@dataclass(frozen=True)
class Frames:
    """What a video world remembers of each row: frames [B, V, 3, H, W] in 0..1 and the commanded states [B, D] at the
    last frame and at the keyframe (when the hand last closed; the last frame itself while it is open)."""

    first: Tensor
    before: Tensor
    last: Tensor
    key: Tensor
    states: NDArray[np.float32]
    key_states: NDArray[np.float32]
    mask: Tensor | None = None  # of the robot in the last frame, if it was drawn already

    def push(self, new: Tensor, states: NDArray[np.float32], mask: Tensor | None = None) -> "Frames":
        """The new frame becomes the last one; the keyframe moves along while the hand is open or still closing (always,
        without calibration: nothing reads it)."""
        if states.shape[1] != len(panda.STATE_NAMES):
            return Frames(self.first, self.last, new, new, states, states)
        closed = torch.from_numpy((self.states[:, 7] < GRIP_OPENING) & (states[:, 7] < GRIP_OPENING))
        key = torch.where(closed[:, None, None, None, None], self.key, new)
        key_states = np.where(closed.numpy()[:, None], self.key_states, states)
        return Frames(self.first, self.last, new, key, states, key_states, mask)

    @classmethod
    def begin(cls, first: Tensor, states: NDArray[np.float32]) -> "Frames":
        return cls(first, first, first, first, states, states)
