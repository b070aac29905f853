"""The network: a small U-Net over one tile of all views, modulated by the commands.

Every view is folded 2x2 pixels into channels (space to depth), the views lie side by side in a square tile, so that
3x3 convolutions run once for all cameras and attention at the coarsest level lets the views agree.
Modulation as in Perez et al. 2018 (FiLM); group normalisation; residual blocks as in He et al. 2016 (pre-activation).
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class UNetConfig:
    """channels per level, from half resolution downwards; condition_dim: width of the command embedding."""

    channels: tuple[int, ...] = (32, 80, 144, 192)
    condition_dim: int = 128
    n_heads: int = 4


def to_tile(views: Tensor) -> Tensor:
    """[B, V, C, H, W] -> [B, 4 C, rows H / 2, columns W / 2]; empty cells are zero."""
    b, n, c, h, w = views.shape
    folded = F.pixel_unshuffle(views.reshape(b * n, c, h, w), 2).reshape(b, n, 4 * c, h // 2, w // 2)
    side = ceil(sqrt(n))
    rows = ceil(n / side)
    if rows * side > n:
        folded = torch.cat([folded, folded.new_zeros(b, rows * side - n, *folded.shape[2:])], dim=1)
    grid = folded.reshape(b, rows, side, 4 * c, h // 2, w // 2).permute(0, 3, 1, 4, 2, 5)  # [B, C, rows, h, columns, w]
    return grid.reshape(b, 4 * c, rows * (h // 2), side * (w // 2))


def from_tile(tile: Tensor, n_views: int) -> Tensor:
    """The inverse of `to_tile`: [B, 4 C, rows h, columns w] -> [B, V, C, 2 h, 2 w]."""
    side = ceil(sqrt(n_views))
    rows = ceil(n_views / side)
    b, c, height, width = tile.shape
    grid = tile.reshape(b, c, rows, height // rows, side, width // side).permute(0, 2, 4, 1, 3, 5)
    views = grid.reshape(b * rows * side, c, height // rows, width // side)
    full = F.pixel_shuffle(views, 2)
    return full.reshape(b, rows * side, *full.shape[1:])[:, :n_views]


class ResBlock(nn.Module):
    def __init__(self, channels: int, condition_dim: int) -> None:
        super().__init__()
        self.norm_in, self.conv_in = nn.GroupNorm(8, channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.norm_out, self.conv_out = nn.GroupNorm(8, channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.film = nn.Linear(condition_dim, 2 * channels)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition)[..., None, None].chunk(2, dim=1)
        out = self.conv_in(F.silu(self.norm_in(x)))
        return x + self.conv_out(F.silu(self.norm_out(out) * (1 + scale) + shift))  # type: ignore[no-any-return]


class SpatialAttention(nn.Module):
    """Self-attention over all places of the coarsest level."""

    def __init__(self, channels: int, n_heads: int) -> None:
        super().__init__()
        self.norm, self.n_heads = nn.GroupNorm(8, channels), n_heads
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q, k, v = (
            self.qkv(self.norm(x)).reshape(b, 3, self.n_heads, c // self.n_heads, h * w).transpose(-1, -2).unbind(1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(b, c, h, w)
        return x + self.out(mixed)  # type: ignore[no-any-return]


class UNet(nn.Module):
    """[B, c_in, h, w] tiles and a condition [B, command_dim] -> [B, c_out, h, w]; h and w divisible by 8."""

    def __init__(self, config: UNetConfig, c_in: int, c_out: int, command_dim: int) -> None:
        super().__init__()
        d, channels = config.condition_dim, config.channels
        self.embed = nn.Sequential(nn.Linear(command_dim, d), nn.SiLU(), nn.Linear(d, d), nn.SiLU())
        self.into = nn.Conv2d(c_in, channels[0], 3, padding=1)
        steps = list(pairwise(channels))
        self.first = ResBlock(channels[0], d)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in steps)
        self.down_blocks = nn.ModuleList(ResBlock(c, d) for c in channels[1:])
        self.middle = ResBlock(channels[-1], d)
        self.attention = SpatialAttention(channels[-1], config.n_heads)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(steps))
        self.up_blocks = nn.ModuleList(ResBlock(c, d) for c in reversed(channels[:-1]))
        self.out_norm, self.out = nn.GroupNorm(8, channels[0]), nn.Conv2d(channels[0], c_out, 3, padding=1)

    def forward(self, tile: Tensor, command: Tensor) -> Tensor:
        condition = self.embed(command)
        x = self.first(self.into(tile), condition)
        skips = [x]
        for down, block in zip(self.down, self.down_blocks, strict=True):
            x = block(down(x), condition)
            skips.append(x)
        x = self.attention(self.middle(skips.pop(), condition))
        for up, block in zip(self.up, self.up_blocks, strict=True):
            x = block(F.interpolate(up(x), scale_factor=2.0, mode="nearest") + skips.pop(), condition)
        return self.out(F.silu(self.out_norm(x)))  # type: ignore[no-any-return]
