"""Transformer blocks: pre-LN self-attention and MLP (Vaswani et al. 2017, "Attention Is All You Need", section 3;
layer norm inside the residual branch as in Xiong et al. 2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MLP(nn.Module):
    """[..., d_in] -> [..., d_out] with one GELU layer in between."""

    def __init__(self, d_in: int, d_hidden: int, d_out: int) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(d_in, d_hidden), nn.Linear(d_hidden, d_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.gelu(self.into(x)))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Multi-head self-attention over [B, N, d]; `mask` [B, N] is True where a token may be read."""

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        if dim % n_heads:
            raise ValueError(f"{n_heads} heads do not divide a width of {dim}")
        self.n_heads = n_heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        b, n, d = x.shape
        q, k, v = (
            self.qkv(x).view(b, n, 3, self.n_heads, d // self.n_heads).permute(2, 0, 3, 1, 4)
        )  # [B, heads, N, d/heads]
        scores = (q * (d // self.n_heads) ** -0.5) @ k.transpose(-1, -2)  # [B, heads, N, N]
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        mixed = (
            scores.softmax(-1).to(v.dtype) @ v
        )  # plain products: for few tokens on a CPU faster than the fused kernel
        return self.out(mixed.transpose(1, 2).reshape(b, n, d))  # type: ignore[no-any-return]


class Block(nn.Module):
    """x + attention(norm x), then x + mlp(norm x)."""

    def __init__(self, dim: int, n_heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(dim), Attention(dim, n_heads)
        self.norm_mlp, self.mlp = nn.LayerNorm(dim), MLP(dim, int(dim * mlp_ratio), dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.attention(self.norm_attention(x), mask)
        return x + self.mlp(self.norm_mlp(x))  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """`depth` blocks and a last layer norm over [B, N, d]."""

    def __init__(self, dim: int, depth: int, n_heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(dim, n_heads, mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)  # type: ignore[no-any-return]


def learned(*shape: int, std: float = 0.02) -> nn.Parameter:
    """A learned embedding table, drawn from a normal distribution."""
    return nn.Parameter(torch.randn(*shape) * std)
