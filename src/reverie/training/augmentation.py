"""Augmented: the sequences of a video world seen by cameras that stand and colour a little otherwise.

For a handful of takes: without it a video world learns their pictures by heart. All frames of one sequence are changed
alike, so what moves goes on moving as commanded. Only for data without a pose map, which would have to be changed too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import content_hash, generator
from reverie.training.source import Source


@dataclass(frozen=True)
class Augmentation:
    """shift_px: each view is moved by up to so many pixels, borders repeated. gain, offset: of each colour channel, up to
    so much off 1, and off 0 of 255. swap: how often channels change places."""

    shift_px: int = 6
    gain: float = 0.25
    offset: float = 20.0
    swap: float = 0.5


class Augmented:
    """A Source around another one; validation stays as it is. Images are the batch's uint8 entries [B, ..., V, 3, H, W]."""

    def __init__(self, inner: Source, config: Augmentation, seed: int) -> None:
        self.inner, self.config, self.seed = inner, config, seed

    @property
    def fingerprint(self) -> str:
        return content_hash([self.inner.fingerprint, asdict(self.config), self.seed])

    def batch(self, step: int, size: int) -> dict[str, Any]:
        batch = dict(self.inner.batch(step, size))
        images = {k: v for k, v in batch.items() if isinstance(v, Tensor) and v.dtype == torch.uint8}
        rng = generator("augmentation", self.seed, step)
        views = next(iter(images.values())).shape[-4]
        looks = [self._look(rng, views) for _ in range(size)]
        return batch | {
            k: torch.stack([look(row) for look, row in zip(looks, v, strict=True)]) for k, v in images.items()
        }

    def validation(self) -> Mapping[str, Iterable[dict[str, Any]]]:
        return self.inner.validation()

    def _look(self, rng: np.random.Generator, views: int) -> "_Look":
        c = self.config
        channels = rng.permutation(3) if rng.random() < c.swap else np.arange(3)
        shifts = rng.integers(-c.shift_px, c.shift_px + 1, (views, 2))
        return _Look(channels, 1 + rng.uniform(-c.gain, c.gain, 3), rng.uniform(-c.offset, c.offset, 3), shifts)


@dataclass(frozen=True)
class _Look:
    """One change: order, gain and offset of the channels [3], and the shift of every view [V, 2] in pixels."""

    channels: NDArray[np.int64]
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    shifts: NDArray[np.int64]

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [..., V, 3, H, W]"""
        gain, offset = (torch.from_numpy(v).float()[:, None, None] for v in (self.gain, self.offset))
        coloured = (images[..., self.channels.tolist(), :, :] * gain + offset).round().clamp(0, 255).to(torch.uint8)
        return torch.stack(
            [_shifted(coloured[..., v, :, :, :], *s) for v, s in enumerate(self.shifts.tolist())], dim=-4
        )


def _shifted(images: Tensor, down: int, right: int) -> Tensor:
    """[..., H, W] moved, its borders repeated."""
    height, width = images.shape[-2:]
    rows, columns = (torch.arange(n) - d for n, d in ((height, down), (width, right)))
    return images[..., rows.clamp(0, height - 1), :][..., columns.clamp(0, width - 1)]
