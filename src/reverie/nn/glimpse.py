"""A second look: small crops at full resolution around points of interest, as an eye fixates (Mnih et al. 2014,
"Recurrent Models of Visual Attention", section 3.1, with the place given instead of sampled)."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from reverie.nn.convolution import FilmedConv


def crops(images: Tensor, points: Tensor, size: int) -> Tensor:
    """images [N, H, W, C], points [N, S, 2] as fractions (u, v) -> [N, S, C, size, size]; 0 beyond the border."""
    height, width = images.shape[1:3]
    steps = torch.arange(size, device=images.device) - (size - 1) / 2
    v, u = torch.meshgrid(steps / height, steps / width, indexing="ij")
    at = points[:, :, None, None] + torch.stack([u, v], dim=-1)  # [N, S, size, size, 2]
    grid = (2 * at - 1).flatten(1, 2).float()  # one tall picture of S crops
    seen = F.grid_sample(images.permute(0, 3, 1, 2).float(), grid, align_corners=False)
    return rearrange(seen, "n c (s h) w -> n s c h w", h=size)


class Glimpse(nn.Module):
    """Features [N, S, d_out] of the crops, modulated by what each of the S is looked at for (condition [N, S, d])."""

    def __init__(self, size: int, condition_dim: int, d_out: int, width: int = 24) -> None:
        super().__init__()
        self.size = size
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.second = FilmedConv(width, 2 * width, condition_dim, stride=2)
        self.third = FilmedConv(2 * width, 2 * width, condition_dim, stride=2)
        self.out = nn.Linear(2 * width * (size // 4) ** 2, d_out)

    def forward(self, images: Tensor, points: Tensor, condition: Tensor) -> Tensor:
        seen = crops(images, points.detach(), self.size).flatten(0, 1)  # [N S, 3, size, size]
        condition = condition.flatten(0, 1)
        x = F.relu(self.first(seen.contiguous(memory_format=torch.channels_last)))
        x = self.third(self.second(x, condition), condition)
        features: Tensor = self.out(x.flatten(1))
        return features.view(*points.shape[:2], -1)
