"""Augmented: what cameras show, as if they stood, coloured and focused a little otherwise.

One look is drawn a row: all frames of a sequence or a window are changed alike, so what moves goes on moving as
commanded, and image points that are supervised move along. Not for data with a pose map, which would have to be changed
too. Without it a video world learns the pictures of a handful of takes by heart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import content_hash, generator, seed_for
from reverie.training.source import WHOLE, Source


@dataclass(frozen=True)
class Augmentation:
    """shift_px: each view is moved by up to so many pixels, borders repeated. gain, offset: of each colour channel, up to
    so much off 1, and off 0 of 255. swap: how often channels change places. blur_px: standard deviation of a Gaussian
    blur, up to so much. noise: standard deviation of what is added to every number, up to so much of 255."""

    shift_px: int = 6
    gain: float = 0.25
    offset: float = 20.0
    swap: float = 0.5
    blur_px: float = 0.0
    noise: float = 0.0


UNCHANGED = Augmentation(0, 0.0, 0.0, 0.0)


class Augmented:
    """A Source around another one; validation stays as it is. Pictures are uint8 entries [B, ..., V, 3, H, W], or
    `images.<camera>` [B, To, H, W, 3] in -1..1, one view each; then `slot_points` [B, To V, S, 2] and `slot_inside` follow
    them."""

    def __init__(self, inner: Source, config: Augmentation, seed: int) -> None:
        self.inner, self.config, self.seed = inner, config, seed

    @property
    def fingerprint(self) -> str:
        return content_hash([self.inner.fingerprint, asdict(self.config), self.seed])

    def batch(self, step: int, size: int, rows: slice = WHOLE) -> dict[str, Any]:
        batch = dict(self.inner.batch(step, size, rows))
        cameras = [k for k in batch if k.startswith("images.")]
        frames = {k: v for k, v in batch.items() if isinstance(v, Tensor) and v.dtype == torch.uint8}
        views = len(cameras) or next(iter(frames.values())).shape[-4]
        rng = generator("augmentation", self.seed, step)
        looks = [self._look(rng, views, seed_for("noise", self.seed, step, i)) for i in range(size)][rows]
        changed = {k: torch.stack([_frames(look, row) for look, row in zip(looks, v, strict=True)]) for k, v in frames.items()}  # fmt: skip
        for view, k in enumerate(cameras):
            changed[k] = torch.stack([_camera(look, row, view) for look, row in zip(looks, batch[k], strict=True)])
        if "slot_points" in batch and cameras:
            shifts = np.stack([look.shifts for look in looks])  # [B, V, 2] down, right
            changed |= _moved(batch, torch.from_numpy(shifts), torch.tensor([batch[k].shape[2:4] for k in cameras]))
        return batch | changed

    def validation(self) -> Mapping[str, Iterable[dict[str, Any]]]:
        return self.inner.validation()

    def _look(self, rng: np.random.Generator, views: int, noise_seed: int) -> "_Look":
        c = self.config
        channels = rng.permutation(3) if rng.random() < c.swap else np.arange(3)
        shifts = rng.integers(-c.shift_px, c.shift_px + 1, (views, 2))
        gain, offset = 1 + rng.uniform(-c.gain, c.gain, 3), rng.uniform(-c.offset, c.offset, 3)
        blur, noise = (float(v) for v in rng.uniform(0, [c.blur_px, c.noise]))
        return _Look(channels, gain, offset, shifts, blur, noise, noise_seed)


@dataclass(frozen=True)
class _Look:
    """One change: order, gain and offset of the channels [3], the shift of every view [V, 2] in pixels, blur and noise."""

    channels: NDArray[np.int64]
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    shifts: NDArray[np.int64]
    blur_px: float
    noise: float
    noise_seed: int

    def __call__(self, images: Tensor, view: int) -> Tensor:
        """[..., 3, H, W] of one view, numbers 0..255 -> float32 in 0..255"""
        gain, offset = (torch.from_numpy(v).float()[:, None, None] for v in (self.gain, self.offset))
        found = images[..., self.channels.tolist(), :, :] * gain + offset
        found = _blurred(_shifted(found, *self.shifts[view].tolist()), self.blur_px)
        if self.noise:
            drawn = torch.Generator().manual_seed(self.noise_seed + view)
            found = found + self.noise * torch.randn(found.shape, generator=drawn)
        return found.clamp(0, 255)


def _frames(look: _Look, frames: Tensor) -> Tensor:
    """uint8 [..., V, 3, H, W]"""
    views = [look(frames[..., v, :, :, :], v) for v in range(frames.shape[-4])]
    return torch.stack(views, dim=-4).round().to(torch.uint8)


def _camera(look: _Look, images: Tensor, view: int) -> Tensor:
    """[To, H, W, 3] in -1..1"""
    seen = look((images.movedim(-1, -3) + 1) * 127.5, view)
    return seen.movedim(-3, -1) / 127.5 - 1


def _moved(batch: dict[str, Any], shifts: Tensor, sizes: Tensor) -> dict[str, Tensor]:
    """Points as fractions of width and height, after the shifts [B, V, 2] of pictures of `sizes` [V, 2] (height, width);
    one that leaves its picture is outside."""
    by = (shifts / sizes).flip(-1)  # [B, V, 2] right, down
    by = by.repeat(1, batch["slot_points"].shape[1] // by.shape[1], 1)[:, :, None]  # [B, To V, 1, 2]
    points = batch["slot_points"] + by.float()
    inside = batch["slot_inside"] & (points >= 0).all(-1) & (points < 1).all(-1)
    return {"slot_points": torch.where(inside[..., None], points, 0.0), "slot_inside": inside}


def _shifted(images: Tensor, down: int, right: int) -> Tensor:
    """[..., H, W] moved, its borders repeated."""
    height, width = images.shape[-2:]
    rows, columns = (torch.arange(n) - d for n, d in ((height, down), (width, right)))
    return images[..., rows.clamp(0, height - 1), :][..., columns.clamp(0, width - 1)]


def _blurred(images: Tensor, sigma: float) -> Tensor:
    """[..., H, W] by a Gaussian, first down, then across, borders repeated."""
    if sigma < 0.1:
        return images
    reach = ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    flat = images.reshape(-1, 1, *images.shape[-2:])
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), weights[None, None, :, None])
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), weights[None, None, None, :])
    return flat.reshape(images.shape)
