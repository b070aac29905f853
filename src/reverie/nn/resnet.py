"""ResNet-18 and ResNet-34 (He et al. 2015, "Deep Residual Learning for Image Recognition", table 1, basic blocks).

Options that policies need, beside the published network (`ResNetConfig()`):
norm "frozen_batch": batch norm with fixed statistics and fixed scale, as DETR and ACT train it; "group": group norm of
channels / 16 groups, as Diffusion Policy replaces batch norm (Chi et al. 2023, section III-B).
stem "imagenet": 7x7 stride 2 and max pooling (1/4 of the size); "small": one 3x3 convolution at full size; "patch":
patches of `patch` pixels, each embedded alone. The last two are for images of 64 pixels, which the published stem leaves
2x2 cells of. `width` scales all channels; `n_stages` drops the last, coarsest stages. There is no classifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.loading import load_translated

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}

Norm = Literal["batch", "frozen_batch", "group"]


@dataclass(frozen=True)
class ResNetConfig:
    depth: Literal[18, 34] = 18
    norm: Norm = "batch"
    stem: Literal["imagenet", "small", "patch"] = "imagenet"
    width: float = 1.0
    patch: int = 4
    n_stages: int = 4

    @property
    def channels(self) -> tuple[int, ...]:
        """Of every stage; the stem has as many as the first."""
        return tuple(int(c * self.width) for c in (64, 128, 256, 512)[: self.n_stages])

    @property
    def dim(self) -> int:
        """Channels of the result."""
        return self.channels[-1]

    @property
    def stride(self) -> int:
        """Pixels of the image per cell of the result, along one side."""
        stem = {"imagenet": 4, "small": 1, "patch": self.patch}[self.stem]
        return stem << (self.n_stages - 1)


class FrozenBatchNorm(nn.Module):
    """Batch norm that neither updates its statistics nor learns its scale; eps as in `nn.BatchNorm2d`."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


def normalization(kind: Norm, channels: int) -> nn.Module:
    if kind == "group":
        return nn.GroupNorm(max(1, channels // 16), channels)
    return nn.BatchNorm2d(channels) if kind == "batch" else FrozenBatchNorm(channels)


class BasicBlock(nn.Module):
    """relu(x + norm conv relu norm conv x), equation 1 and 2; where the shape changes, the shortcut is a 1x1
    convolution (option B of section 4.1)."""

    def __init__(self, c_in: int, c_out: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), normalization(norm, c_out)
        self.conv2, self.norm2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), normalization(norm, c_out)
        changes = stride != 1 or c_in != c_out
        self.shortcut = nn.Conv2d(c_in, c_out, 1, stride, bias=False) if changes else None
        self.shortcut_norm = normalization(norm, c_out) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.shortcut is not None and self.shortcut_norm is not None:
            x = self.shortcut_norm(self.shortcut(x))
        return F.relu(x + y)


class ResNet(nn.Module):
    """Images [N, 3, H, W], normalised -> features [N, config.dim, h, w]."""

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config, channels = config, config.channels
        size, stride, pad = {"imagenet": (7, 2, 3), "small": (3, 1, 1), "patch": (config.patch, config.patch, 0)}[
            config.stem
        ]
        self.stem = nn.Conv2d(3, channels[0], size, stride, pad, bias=False)
        self.stem_norm = normalization(config.norm, channels[0])
        self.pool = nn.MaxPool2d(3, 2, 1) if config.stem == "imagenet" else nn.Identity()
        block = partial(BasicBlock, norm=config.norm)
        self.stages = nn.ModuleList()
        for i, (c, n_blocks) in enumerate(zip(channels, DEPTHS[config.depth], strict=False)):
            first = block(channels[max(i - 1, 0)], c, 1 if i == 0 else 2)
            self.stages.append(nn.Sequential(first, *(block(c, c, 1) for _ in range(n_blocks - 1))))
        for conv in (m for m in self.modules() if isinstance(m, nn.Conv2d)):
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        x = self.pool(F.relu(self.stem_norm(self.stem(images))))
        for stage in self.stages:
            x = stage(x)
        return cast(Tensor, x)


_SHORTCUT, _BLOCK = (
    r"encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.",
    r"encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.",
)
_DIALECT = (
    (r"embedder\.embedder\.convolution\.(.*)", r"stem.\1"),
    (r"embedder\.embedder\.normalization\.(.*)", r"stem_norm.\1"),
    (_SHORTCUT + r"convolution\.(.*)", r"stages.\1.\2.shortcut.\3"),
    (_SHORTCUT + r"normalization\.(.*)", r"stages.\1.\2.shortcut_norm.\3"),
    (_BLOCK + r"0\.convolution\.(.*)", r"stages.\1.\2.conv1.\3"),
    (_BLOCK + r"0\.normalization\.(.*)", r"stages.\1.\2.norm1.\3"),
    (_BLOCK + r"1\.convolution\.(.*)", r"stages.\1.\2.conv2.\3"),
    (_BLOCK + r"1\.normalization\.(.*)", r"stages.\1.\2.norm2.\3"),
)


def load_resnet(resnet: ResNet, state: Mapping[str, Tensor]) -> None:
    """The state dict of transformers' `ResNetModel` with basic blocks (as microsoft/resnet-18) into a ResNet with the
    published stem, whose norm is "batch" or "frozen_batch". Errors: ReverieError where they do not fit."""
    load_translated(resnet, state, _DIALECT, "transformers' ResNetModel")
