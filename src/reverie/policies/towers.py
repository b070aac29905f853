"""Vision towers: images of any camera to tokens, row by row. Ours (ResNet, ViT, Octo's stem), transformers' by name, and RT-1's
EfficientNet, which is modulated by the sentence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import cast

import torch
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.nn.efficientnet import FilmedEfficientNet, Variant, efficientnet, efficientnet_config
from reverie.nn.hub_vision import HubVision, HubVisionConfig
from reverie.nn.pixels import CENTERED, IMAGENET, Pixels, Statistics
from reverie.nn.resnet import ResNet, ResNetConfig
from reverie.nn.vit import ViT, ViTConfig


@dataclass(frozen=True)
class TowerConfig:
    """Each entry belongs to one kind of tower. dim: width of EfficientNet's last 1x1 convolution and of the stem."""

    resnet: ResNetConfig = field(default_factory=ResNetConfig)
    vit: ViTConfig = field(default_factory=ViTConfig)
    efficientnet: Variant = "b3"
    dim: int = 512
    hub: HubVisionConfig = field(default_factory=lambda: HubVisionConfig("google/siglip-base-patch16-224"))


class Tower(nn.Module):
    """images [N, H, W, 3] in (-1, 1), condition [N, d] -> tokens [N, n_tokens, width]; grid: their rows and columns."""

    def __init__(self, network: nn.Module, width: int, size: tuple[int, int], condition_dim: int) -> None:
        super().__init__()
        self.network, self.width = network, width
        self.eval()
        with torch.no_grad():
            self.n_tokens = self(torch.zeros(1, *size, 3), torch.zeros(1, condition_dim)).shape[1]
        self.train()
        rows = round(sqrt(self.n_tokens * size[0] / size[1]))
        self.grid = rows, self.n_tokens // rows

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        return cast(Tensor, self.network(images))


class Maps(nn.Module):
    """A convolutional network on normalised images, its last features row by row."""

    def __init__(self, network: nn.Module, statistics: Statistics) -> None:
        super().__init__()
        self.pixels, self.network = Pixels(statistics), network

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.network(self.pixels(images))).flatten(2).transpose(1, 2)


class FilmedTower(Tower):
    """EfficientNet, told what to look for."""

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        return cast(Tensor, self.network(images, condition)).flatten(2).transpose(1, 2)


class FilmedMaps(nn.Module):
    def __init__(self, variant: Variant, condition_dim: int, dim: int) -> None:
        super().__init__()
        self.pixels = Pixels(IMAGENET)
        self.network = FilmedEfficientNet(efficientnet(efficientnet_config(variant)), condition_dim, dim)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        return cast(Tensor, self.network(self.pixels(images), condition))


class Patches(nn.Module):
    """A ViT's patch tokens."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.pixels, self.vit = Pixels(CENTERED), ViT(config)

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.vit(self.pixels(images)).patches)


class SmallStem(nn.Sequential):
    """Octo's stem (its public code, SmallStem16): four 3x3 convolutions of stride 2 with 32, 96, 192 and 384 channels, group
    norm and ReLU each, then 1x1 to `dim`: tokens of 16 pixels."""

    def __init__(self, dim: int) -> None:
        layers: list[nn.Module] = []
        for c_in, c_out in ((3, 32), (32, 96), (96, 192), (192, 384)):
            layers += [nn.Conv2d(c_in, c_out, 3, 2, 1), nn.GroupNorm(32, c_out), nn.ReLU()]
        super().__init__(*layers, nn.Conv2d(384, dim, 1))


Size = tuple[int, int]


def _resnet(config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    return Tower(Maps(ResNet(config.resnet), IMAGENET), config.resnet.dim, size, condition_dim)


def _vit(config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    return Tower(Patches(config.vit), config.vit.dim, size, condition_dim)


def _stem(config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    return Tower(Maps(SmallStem(config.dim), CENTERED), config.dim, size, condition_dim)


def _efficientnet(config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    return FilmedTower(FilmedMaps(config.efficientnet, condition_dim, config.dim), config.dim, size, condition_dim)


def _hub(config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    network = HubVision(config.hub)
    return Tower(network, network.dim, size, condition_dim)


TOWERS: dict[str, Callable[[TowerConfig, Size, int], Tower]] = {
    "resnet": _resnet,
    "vit": _vit,
    "stem": _stem,
    "efficientnet": _efficientnet,
    "hub": _hub,
}


def build_tower(kind: str, config: TowerConfig, size: Size, condition_dim: int) -> Tower:
    """`size`: height and width of the images. Errors: ReverieError for images that the tower cannot see."""
    try:
        return TOWERS[kind](config, size, condition_dim)
    except RuntimeError as error:
        raise ReverieError(f"images of {size[0]}x{size[1]} do not go through a {kind} tower: {error}") from error
