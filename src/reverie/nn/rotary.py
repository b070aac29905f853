"""Rotary positions (Su et al. 2021, "RoFormer", equation 34). Number i is paired with i + d/2, as in the public weights of
Llama and Gemma; the paper pairs neighbours, which is the same up to an order of the rows of q and k."""

import torch
from torch import Tensor


def rotations(positions: Tensor, head_dim: int, base: float) -> tuple[Tensor, Tensor]:
    """positions [B, N] -> cosines and sines [B, 1, N, head_dim] of position / base^(2 i / d)."""
    powers = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions[:, None, :, None].float() * base**-powers  # [B, 1, N, head_dim / 2]
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the pairs of [B, H, N, head_dim] by their angles."""
    cos, sin = turns
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-second, first], dim=-1) * sin.to(x.dtype)
