"""What a calibrated robot adds to a frame: the pose map, and copies of older frames moved as the hand or the camera moved.

A data set without calibration has none of this: its conditioning is `None`, and the video world works with what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.embodiments import panda
from reverie.embodiments.cameras import Camera
from reverie.world_model.geometry import carried_homography, plane_homography, warp

Array = NDArray[np.float64]
Rig = tuple[Camera, ...]
"""Where the cameras of one row stand, as far as is known: its calibration."""
TABLE_M, OBJECT_TOP_M, MIDDLE_M = 0.0, 0.03, 0.015
HEIGHT, OPENING = panda.STATE_NAMES.index("z"), panda.STATE_NAMES.index("opening")
GRIP_OPENING = 0.5
"""Below this commanded opening the hand may hold something."""
FALL_M = 0.012
"""How far things usually fall when the hand opens over a container's floor."""


@dataclass(frozen=True)
class Conditioning:
    """robot [B, V, 3, H, W] in 0..1 and mask [B, V, 1, H, W] at the new frame, mask_before at the last one; moved
    [B, V, 3, 3, H, W]: three copies per view. Fixed views while the hand is closed: the last frame moved with the hand, and
    the first frame (in which the hand hides nothing) moved as the hand moved since it closed; once it has opened again:
    the first frame moved to where it let go, at the height of the grasp, and a little below that of the release; and
    always the first frame itself. Moving views: the last frame over the table and over object tops, and the overview
    camera's."""

    robot: Tensor
    mask: Tensor
    mask_before: Tensor
    moved: Tensor


class Draws(Protocol):
    def draw(self, commanded: NDArray[np.float32], cameras: Rig) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A pose map: state [D] -> robot images [V, H, W, 3] and depth [V, H, W] in metres, inf where it is not."""
        ...


class Conditioner:
    """Draws and warps for a calibrated arm whose cameras stand as in `rig` unless told. One graphics context per process."""

    def __init__(self, pose_map: Draws, rig: Rig) -> None:
        self._pose_map, self._rig = pose_map, rig

    def draw(self, states: NDArray[np.float32], rigs: Sequence[Rig] | None = None) -> tuple[Tensor, Tensor]:
        """Commanded states [B, D] -> robot [B, V, 3, H, W] and mask [B, V, 1, H, W], float32."""
        drawn = [self._pose_map.draw(s, rig) for s, rig in zip(states, rigs or [self._rig] * len(states), strict=True)]
        rgb = torch.from_numpy(np.stack([d[0] for d in drawn])).permute(0, 1, 4, 2, 3).float() / 255
        mask = torch.from_numpy(np.isfinite(np.stack([d[1] for d in drawn]))).float()[:, :, None]
        return rgb, mask

    def __call__(self, frames: "Frames", new: NDArray[np.float32]) -> Conditioning:
        robot, mask = self.draw(new, frames.rigs)
        mask_before = frames.mask if frames.mask is not None else self.draw(frames.states, frames.rigs)[1]
        return Conditioning(robot, mask, mask_before, moved_copies(frames, new))


def moved_copies(frames: "Frames", new: NDArray[np.float32]) -> Tensor:
    """[B, V, 3, 3, H, W]: see `Conditioning.moved`. Needs calibration, no drawing."""
    states = new.astype(np.float64)
    if frames.rigs is None:
        return _of_rig(panda.CAMERAS, frames, states)
    found: dict[int, Tensor] = {}
    for rig in dict.fromkeys(frames.rigs):
        rows = [i for i, other in enumerate(frames.rigs) if other == rig]
        found |= zip(rows, _of_rig(rig, frames.rows(rows), states[rows]), strict=True)
    return torch.stack([found[i] for i in range(len(states))])


def _of_rig(rig: Rig, frames: "Frames", new: Array) -> Tensor:
    return torch.stack([_copies(i, rig, frames, new) for i in range(len(rig))], dim=1)


def _copies(index: int, rig: Rig, frames: "Frames", new: Array) -> Tensor:
    """[B, 3, 3, H, W]"""
    camera, above = rig[index], _above(rig)
    overview = rig[above]
    last, first, old = frames.last[:, index], frames.first[:, index], frames.states.astype(np.float64)
    if camera.mount == "base":
        grasped, held = frames.grasp_states.astype(np.float64), frames.held_states.astype(np.float64)
        closed = new[:, OPENING] < GRIP_OPENING
        rested, lowered = _let_go(held, grasped)
        row = closed[:, None]
        source = torch.where(torch.from_numpy(closed)[:, None, None, None], last, first)
        copies = [
            warp(source, carried_homography(camera, np.where(row, new, rested), np.where(row, old, grasped))),
            warp(first, carried_homography(camera, np.where(row, new, lowered), grasped)),
            first,
        ]
    else:
        top = frames.last[:, above]
        copies = [
            warp(last, plane_homography(camera, new, camera, old, TABLE_M)),
            warp(last, plane_homography(camera, new, camera, old, OBJECT_TOP_M)),
            warp(top, plane_homography(camera, new, overview, old, MIDDLE_M)),
        ]
    return torch.stack(copies, dim=1)


def _above(rig: Rig) -> int:
    """The place of the overview: the camera "top", or else the first that stands still, or the first."""
    still = [i for i, camera in enumerate(rig) if camera.mount == "base"]
    return next((i for i in still if rig[i].name == "top"), still[0] if still else 0)


def _let_go(held: Array, grasped: Array) -> tuple[Array, Array]:
    """Hand poses at which what was let go looks as it did in the hand: as high as it was grasped, and just below the
    hand that opened (in a container)."""
    rested, lowered = held.copy(), held.copy()
    rested[:, HEIGHT] = grasped[:, HEIGHT]
    lowered[:, HEIGHT] -= FALL_M
    return rested, lowered


@dataclass(frozen=True)
class Frames:
    """What a video world remembers of each row: frames [B, V, 3, H, W] in 0..1, and commanded states [B, D]: at the last
    frame; when the hand last closed (the last frame's before it ever did); when it was last closed (the last frame's while
    it is, or before it ever was). rigs: None where all cameras stand as in training."""

    first: Tensor
    before: Tensor
    last: Tensor
    states: NDArray[np.float32]
    grasp_states: NDArray[np.float32]
    held_states: NDArray[np.float32]
    mask: Tensor | None = None  # of the robot in the last frame, if it was drawn already
    rigs: tuple[Rig, ...] | None = None

    def push(self, new: Tensor, states: NDArray[np.float32], mask: Tensor | None = None) -> "Frames":
        """The new frame becomes the last one. The grasp moves along until the hand closes, and again when it closes anew
        (always, without calibration: nothing reads it). A calibrated arm is the tabletop's, or has rigs."""
        if self.rigs is None and states.shape[1] != len(panda.STATE_NAMES):
            return Frames(self.first, self.last, new, states, states, states, rigs=self.rigs)
        closed, was, grasped = (s[:, OPENING] < GRIP_OPENING for s in (states, self.states, self.grasp_states))
        kept = np.where(closed, was, grasped)[:, None]
        grasp = np.where(kept, self.grasp_states, states)
        held = np.where(closed[:, None] | ~kept, states, self.held_states)
        return Frames(self.first, self.last, new, states, grasp, held, mask, self.rigs)

    def rows(self, rows: Sequence[int]) -> "Frames":
        """Some of them, without the mask."""
        chosen = list(rows)
        first, before, last = (v[chosen] for v in (self.first, self.before, self.last))
        states, grasp, held = (v[chosen] for v in (self.states, self.grasp_states, self.held_states))
        rigs = tuple(self.rigs[i] for i in chosen) if self.rigs else None
        return Frames(first, before, last, states, grasp, held, rigs=rigs)

    @classmethod
    def begin(cls, first: Tensor, states: NDArray[np.float32], rigs: tuple[Rig, ...] | None = None) -> "Frames":
        return cls(first, first, first, states, states, states, rigs=rigs)
