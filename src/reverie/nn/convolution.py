"""Convolution blocks modulated by a condition (FiLM: Perez et al. 2018, "FiLM: Visual Reasoning with a General
Conditioning Layer", equation 2; written as 1 + gamma so that it starts near the identity)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FiLM(nn.Module):
    """x [N, C, h, w], condition [N, d] -> (1 + gamma(condition)) x + beta(condition)."""

    def __init__(self, condition_dim: int, channels: int) -> None:
        super().__init__()
        self.to_scale_shift = nn.Linear(condition_dim, 2 * channels)
        nn.init.normal_(self.to_scale_shift.weight, std=0.02)
        nn.init.zeros_(self.to_scale_shift.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.to_scale_shift(condition)[..., None, None].chunk(2, dim=1)  # [N, C, 1, 1] each
        return torch.addcmul(shift, x, 1 + scale)


class FilmedConv(nn.Module):
    """3x3 convolution, FiLM, ReLU; `residual` adds the input."""

    def __init__(self, c_in: int, c_out: int, condition_dim: int, stride: int = 1, residual: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride, 1)
        self.film = FiLM(condition_dim, c_out)
        self.residual = residual

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        out = F.relu(self.film(self.conv(x), condition))
        return x + out if self.residual else out
