"""Spatial softmax (Levine et al. 2016, "End-to-End Training of Deep Visuomotor Policies", section 5.1): every feature map
becomes the point where it is active. The 1x1 convolution to a chosen number of maps is Diffusion Policy's (32)."""

import torch
from torch import Tensor, nn


class SpatialSoftmax(nn.Module):
    """Features [N, C, h, w] -> points [N, K, 2] as (x, y) from -1 (centre of the first column or row) to 1 (the last);
    K is n_points, or C where that is None."""

    def __init__(self, channels: int, n_points: int | None = None) -> None:
        super().__init__()
        self.maps = nn.Conv2d(channels, n_points, 1) if n_points else nn.Identity()
        self.weights = nn.Softmax(dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        maps = self.maps(features)  # [N, K, h, w]
        weights = self.weights(maps.flatten(2)).unflatten(-1, maps.shape[-2:])
        x = (weights.sum(-2) * _steps(maps.shape[-1], maps)).sum(-1)  # [N, K]
        y = (weights.sum(-1) * _steps(maps.shape[-2], maps)).sum(-1)
        return torch.stack([x, y], dim=-1)


def _steps(n: int, like: Tensor) -> Tensor:
    return torch.linspace(-1.0, 1.0, n, device=like.device, dtype=torch.float32)
