"""What a video world does to frames, roughly: blur, noise and other light, so that a judge does not lean on crisp edges."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.nn.grounding_loss import Batch


@dataclass(frozen=True)
class Corruption:
    """`share` of the episodes are corrupted, all their frames alike: resampled down to `coarsest_px`, noise up to
    `noise` and brightness and contrast changed by up to `light` (images in -1..1)."""

    share: float = 0.5
    coarsest_px: int = 24
    noise: float = 0.1
    light: float = 0.15


def corrupt(batch: Batch, config: Corruption) -> Batch:
    """Every `images.<camera>` [B, T, H, W, 3] in (-1, 1); draws from torch's generator."""
    cameras = [k for k in batch if k.startswith("images.")]
    n = len(batch[cameras[0]])
    chosen = (torch.rand(n) < config.share).nonzero()[:, 0].tolist()
    out = {k: batch[k].clone() for k in cameras}
    for row in chosen:
        size = int(torch.randint(config.coarsest_px, 65, ()))
        gain, shift = 1 + config.light * (2 * torch.rand(2) - 1)
        noise = config.noise * float(torch.rand(()))
        for k in cameras:
            out[k][row] = _one(out[k][row], size, float(gain), float(shift) - 1, noise)
    return {**batch, **out}


def _one(images: Tensor, size: int, gain: float, shift: float, noise: float) -> Tensor:
    """[T, H, W, 3]"""
    height, width = images.shape[1:3]
    pixels = images.permute(0, 3, 1, 2)
    if size < min(height, width):
        small = F.interpolate(pixels, (size, size), mode="area")
        pixels = F.interpolate(small, (height, width), mode="bilinear", align_corners=False)
    pixels = (pixels * gain + shift).permute(0, 2, 3, 1)
    field = noise * torch.randn(
        height, width, 3
    )  # one draw, shifted from frame to frame: noise is half of the cost else
    shifts = torch.randint(height, (len(pixels),)).tolist()
    return (pixels + torch.stack([field.roll(n, 0) for n in shifts])).clamp(-1, 1)
