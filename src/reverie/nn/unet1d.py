"""The conditional 1-D U-Net of Diffusion Policy (Chi et al. 2023, section III-A, CNN-based): convolutions over the time of
a chunk of actions, every block modulated by diffusion step and observation.

As in its public code: FiLM is scale x + bias with scale drawn around 0 (not 1 + scale); the finest level hands no skip
connection up; two of three levels halve the time, so a horizon is a multiple of 4.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.nn.time_embedding import Sinusoidal


@dataclass(frozen=True)
class UNet1dConfig:
    """The defaults are the published ones. dims: channels per level; n_groups: of every group norm."""

    dims: tuple[int, ...] = (512, 1024, 2048)
    kernel: int = 5
    n_groups: int = 8
    step_dim: int = 128


class ConvBlock(nn.Sequential):
    """[B, c_in, T] -> [B, c_out, T]: convolution, group norm, Mish."""

    def __init__(self, c_in: int, c_out: int, config: UNet1dConfig) -> None:
        conv = nn.Conv1d(c_in, c_out, config.kernel, padding=config.kernel // 2)
        super().__init__(conv, nn.GroupNorm(config.n_groups, c_out), nn.Mish())


class FilmedBlock(nn.Module):
    """x [B, c_in, T], condition [B, d] -> shortcut x + conv2(scale conv1(x) + bias)."""

    def __init__(self, c_in: int, c_out: int, condition_dim: int, config: UNet1dConfig) -> None:
        super().__init__()
        self.first, self.second = ConvBlock(c_in, c_out, config), ConvBlock(c_out, c_out, config)
        self.film = nn.Sequential(nn.Mish(), nn.Linear(condition_dim, 2 * c_out))
        self.shortcut = nn.Conv1d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, bias = self.film(condition)[..., None].chunk(2, dim=1)  # [B, c_out, 1] each
        return self.shortcut(x) + self.second(scale * self.first(x) + bias)  # type: ignore[no-any-return]


class UNet1d(nn.Module):
    """Noisy actions [B, T, A], diffusion steps [B], condition [B, d] -> the noise in them [B, T, A]. T must be a multiple
    of `time_multiple`; ReverieError otherwise."""

    def __init__(self, action_dim: int, condition_dim: int, config: UNet1dConfig) -> None:
        super().__init__()
        c, dims = config, config.dims
        self.time_multiple = 2 ** (len(dims) - 1)
        widen = nn.Linear(c.step_dim, 4 * c.step_dim)
        self.waves = Sinusoidal(c.step_dim)
        self.step = nn.Sequential(widen, nn.Mish(), nn.Linear(4 * c.step_dim, c.step_dim))
        d = c.step_dim + condition_dim
        pairs = list(zip((action_dim, *dims[:-1]), dims, strict=True))
        self.down = nn.ModuleList(nn.ModuleList([FilmedBlock(a, b, d, c), FilmedBlock(b, b, d, c)]) for a, b in pairs)
        self.shrink = nn.ModuleList(nn.Conv1d(b, b, 3, 2, 1) for b in dims[:-1])
        self.middle = nn.ModuleList([FilmedBlock(dims[-1], dims[-1], d, c) for _ in range(2)])
        self.up = nn.ModuleList(
            nn.ModuleList([FilmedBlock(2 * b, a, d, c), FilmedBlock(a, a, d, c)]) for a, b in reversed(pairs[1:])
        )
        self.grow = nn.ModuleList(nn.ConvTranspose1d(a, a, 4, 2, 1) for a in reversed(dims[:-1]))
        self.out = nn.Sequential(ConvBlock(dims[0], dims[0], c), nn.Conv1d(dims[0], action_dim, 1))

    def forward(self, actions: Tensor, steps: Tensor, condition: Tensor) -> Tensor:
        if actions.shape[1] % self.time_multiple:
            raise ReverieError(
                f"a chunk of {actions.shape[1]} actions does not go through this U-Net: its horizon must be a multiple of "
                f"{self.time_multiple}"
            )
        condition = torch.cat([self.step(self.waves(steps).to(condition.dtype)), condition], dim=-1)
        x, skips = actions.transpose(1, 2), []  # [B, A, T]
        for i, pair in enumerate(self.down):
            x = _through(pair, x, condition)
            skips.append(x)
            x = self.shrink[i](x) if i < len(self.shrink) else x
        x = _through(self.middle, x, condition)
        for pair, grow in zip(self.up, self.grow, strict=True):
            x = grow(_through(pair, torch.cat([x, skips.pop()], dim=1), condition))
        out: Tensor = self.out(x)
        return out.transpose(1, 2)


def _through(blocks: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, condition)
    return x
