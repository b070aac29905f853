"""RMS norm (Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", equation 4), plain or modulated by a vector.

Both give the normed tokens and the gate of the residual branch behind the norm (None: no gate), so that a layer is
written once.
"""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """x / rms(x) * (offset + w), with w = 1 - offset at the start: offset 0 in Llama, 1 in Gemma."""

    def __init__(self, width: int, eps: float, offset: float) -> None:
        super().__init__()
        self.eps, self.offset = eps, offset
        self.weight = nn.Parameter(torch.full((width,), 1.0 - offset))

    def forward(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The condition is not read."""
        return (by_rms(x, self.eps) * (self.offset + self.weight.float())).to(x.dtype), None


class AdaptiveRMSNorm(nn.Module):
    """x / rms(x) * (1 + scale) + shift, and a gate: all three linear in the condition [B, c] and 0 at the start, so that
    every branch starts closed (adaLN-Zero of Peebles & Xie 2023, section 3.2, on an RMS norm; as in pi0.5)."""

    def __init__(self, width: int, condition: int, eps: float) -> None:
        super().__init__()
        self.eps, self.modulation = eps, nn.Linear(condition, 3 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """x [B, N, d], condition [B, c] -> [B, N, d], gate [B, 1, d]."""
        if condition is None:
            raise ValueError(f"an adaptive norm needs a condition [B, {self.modulation.in_features}], found none")
        scale, shift, gate = self.modulation(condition)[:, None].chunk(3, dim=-1)
        return (by_rms(x, self.eps) * (1 + scale) + shift).to(x.dtype), gate


def by_rms(x: Tensor, eps: float) -> Tensor:
    """x / sqrt(mean of x^2 + eps) over the last dimension, in float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def gated(x: Tensor, branch: Tensor, gate: Tensor | None) -> Tensor:
    """The residual sum: x + branch, or x + gate * branch."""
    return x + branch if gate is None else x + gate.to(x.dtype) * branch
