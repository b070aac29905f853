"""Transformer blocks: pre-LN attention and MLP (Vaswani et al. 2017, "Attention Is All You Need", section 3; layer norm
inside the residual branch as in Xiong et al. 2020).

Masks are boolean, True where something may be read. Every attention's weights leave a `Probabilities` module, so an
ordinary forward hook on modules of that class sees every attention map of a network.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Callable[[Tensor], Tensor]


def gelu_tanh(x: Tensor) -> Tensor:
    """GELU in its tanh approximation, as SigLIP and Gemma were trained with."""
    return F.gelu(x, approximate="tanh")


class MLP(nn.Module):
    """[..., d_in] -> [..., d_out] with one layer of `activation` in between."""

    def __init__(
        self, d_in: int, d_hidden: int, d_out: int, activation: Activation = F.gelu, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(d_in, d_hidden), nn.Linear(d_hidden, d_out)
        self.activation, self.dropout = activation, nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.dropout(self.activation(self.into(x))))  # type: ignore[no-any-return]


class Probabilities(nn.Module):
    """softmax(q k' / sqrt(d)): q [B, H, N, d], k [B, H, M, d], mask that broadcasts to [B, H, N, M] -> [B, H, N, M].

    Without parameters: a module only so that it can be hooked. A query that may read nothing reads everything alike.
    """

    def forward(self, q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
        scale: float = q.shape[-1] ** -0.5
        scores = (q * scale) @ k.transpose(-1, -2)  # [B, H, N, M]
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return scores.softmax(-1)


def may_read(mask: Tensor | None, pairs: Tensor | None) -> Tensor | None:
    """Tokens that may be read [B, M], and which query may read which, [N, M] or [B, N, M] -> one mask over [B, H, N, M]."""
    if pairs is not None:
        pairs = pairs[None, None] if pairs.dim() == 2 else pairs[:, None]
    if mask is None:
        return pairs
    tokens = mask[:, None, None, :]
    return tokens if pairs is None else tokens & pairs


def _head_dim(dim: int, n_heads: int, head_dim: int | None) -> int:
    if head_dim is None and dim % n_heads:
        raise ValueError(f"{n_heads} heads do not divide a width of {dim}")
    return head_dim or dim // n_heads


class Attention(nn.Module):
    """Multi-head self-attention over [B, N, d]; `mask` [B, N] is True where a token may be read, `pairs` [N, N] or
    [B, N, N] where token n may read token m. `dropout` acts on the probabilities."""

    def __init__(self, dim: int, n_heads: int, head_dim: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, _head_dim(dim, n_heads, head_dim)
        inner = n_heads * self.head_dim
        self.qkv, self.out = nn.Linear(dim, 3 * inner), nn.Linear(inner, dim)
        self.probabilities, self.dropout = Probabilities(), nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None, pairs: Tensor | None = None) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.n_heads, self.head_dim).permute(2, 0, 3, 1, 4)  # [B, H, N, d/H]
        weights = self.dropout(self.probabilities(q, k, may_read(mask, pairs)))
        mixed = weights.to(v.dtype) @ v  # plain products: for few tokens on a CPU faster than the fused kernel
        return self.out(mixed.transpose(1, 2).reshape(b, n, -1))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Queries x [B, N, d] read memory [B, M, memory_dim]; `mask` [B, M], `pairs` [N, M] or [B, N, M].

    `values` [B, M, memory_dim] is read in place of memory, whose tokens are then only keys: DETR adds positions to keys
    and not to values (Carion et al. 2020, appendix A.3).
    """

    def __init__(
        self,
        dim: int,
        n_heads: int,
        memory_dim: int | None = None,
        head_dim: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, _head_dim(dim, n_heads, head_dim)
        inner, memory_dim = n_heads * self.head_dim, memory_dim or dim
        self.q, self.k, self.v = nn.Linear(dim, inner), nn.Linear(memory_dim, inner), nn.Linear(memory_dim, inner)
        self.out = nn.Linear(inner, dim)
        self.probabilities, self.dropout = Probabilities(), nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        pairs: Tensor | None = None,
        values: Tensor | None = None,
    ) -> Tensor:
        q, k = self._heads(self.q(x)), self._heads(self.k(memory))
        v = self._heads(self.v(memory if values is None else values))
        weights = self.dropout(self.probabilities(q, k, may_read(mask, pairs)))
        mixed = weights.to(v.dtype) @ v  # [B, H, N, d/H]
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.n_heads, self.head_dim).transpose(1, 2)  # [B, H, N, d/H]


class Block(nn.Module):
    """x + attention(norm x), then x + mlp(norm x)."""

    def __init__(self, dim: int, n_heads: int, mlp_ratio: float = 4.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(dim), Attention(dim, n_heads, dropout=dropout)
        self.norm_mlp, self.mlp = nn.LayerNorm(dim), MLP(dim, int(dim * mlp_ratio), dim, dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None, pairs: Tensor | None = None) -> Tensor:
        x = x + self.dropout(self.attention(self.norm_attention(x), mask, pairs))
        return x + self.dropout(self.mlp(self.norm_mlp(x)))  # type: ignore[no-any-return]


class CrossBlock(nn.Module):
    """x + attention(norm x), x + cross(norm x, memory), x + mlp(norm x): a decoder layer over [B, N, d] and memory
    [B, M, d]. `mask` and `pairs` say what may be read of x, the `memory_` ones what of memory."""

    def __init__(self, dim: int, n_heads: int, mlp_ratio: float = 4.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(dim), Attention(dim, n_heads, dropout=dropout)
        self.norm_cross, self.cross = nn.LayerNorm(dim), CrossAttention(dim, n_heads, dropout=dropout)
        self.norm_mlp, self.mlp = nn.LayerNorm(dim), MLP(dim, int(dim * mlp_ratio), dim, dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        pairs: Tensor | None = None,
        memory_mask: Tensor | None = None,
        memory_pairs: Tensor | None = None,
    ) -> Tensor:
        x = x + self.dropout(self.attention(self.norm_attention(x), mask, pairs))
        x = x + self.dropout(self.cross(self.norm_cross(x), memory, memory_mask, memory_pairs))
        return x + self.dropout(self.mlp(self.norm_mlp(x)))  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """`depth` blocks and a last layer norm over [B, N, d]."""

    def __init__(self, dim: int, depth: int, n_heads: int, mlp_ratio: float = 4.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(dim, n_heads, mlp_ratio, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor | None = None, pairs: Tensor | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x, mask, pairs)
        return self.norm(x)  # type: ignore[no-any-return]


def learned(*shape: int, std: float = 0.02) -> nn.Parameter:
    """A learned embedding table, drawn from a normal distribution."""
    return nn.Parameter(torch.randn(*shape) * std)
