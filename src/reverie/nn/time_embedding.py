"""A time (diffusion step, flow time) as a vector: fixed sines and cosines, or learned frequencies."""

from math import pi

import torch
from torch import Tensor, nn


def sincos(t: Tensor, dim: int, min_period: float, max_period: float) -> Tensor:
    """t [...] -> [..., dim]: sines, then cosines, of dim / 2 periods in geometric order (Vaswani et al. 2017, section 3.5).

    pi0: flow times with periods from 4e-3 to 4. Diffusion steps: see `Sinusoidal`.
    """
    along = torch.linspace(0.0, 1.0, dim // 2, device=t.device, dtype=torch.float32)
    periods = min_period * (max_period / min_period) ** along
    angles = 2 * pi * t.float()[..., None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Sinusoidal(nn.Module):
    """Steps t [...] -> [..., dim]; the defaults are those of diffusion networks (Ho et al. 2020, appendix B): angular
    frequencies from 1 down to 1e-4."""

    def __init__(self, dim: int, min_period: float = 2 * pi, max_period: float = 2e4 * pi) -> None:
        super().__init__()
        self.dim, self.min_period, self.max_period = dim, min_period, max_period

    def forward(self, t: Tensor) -> Tensor:
        return sincos(t, self.dim, self.min_period, self.max_period)


class LearnedFourier(nn.Module):
    """t [...] -> [..., dim]: cosines, then sines, of 2 pi w t with dim / 2 learned frequencies w, drawn from N(0, 0.2^2)
    (Octo's diffusion head; random features of Tancik et al. 2020)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(0.2 * torch.randn(dim // 2))

    def forward(self, t: Tensor) -> Tensor:
        angles = 2 * pi * t.to(self.frequencies.dtype)[..., None] * self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=-1)
