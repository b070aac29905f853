"""Who may read whom: boolean masks [..., N, M] over tokens, True where query n may read token m."""

import torch
from torch import Tensor


def causal(n: int, device: torch.device | None = None) -> Tensor:
    """[N, N]: every token reads itself and what came before."""
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()


def blockwise(blocks: Tensor) -> Tensor:
    """Block numbers [..., N] -> [..., N, N]: all-to-all inside a block, and every earlier (smaller) block is read."""
    return blocks[..., None, :] <= blocks[..., :, None]


def positions(valid: Tensor) -> Tensor:
    """valid [B, N] -> positions [B, N] that do not count padding; padding shares its predecessor's (at least 0)."""
    return (valid.long().cumsum(-1) - 1).clamp_min(0)
