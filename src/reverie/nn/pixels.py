"""Images as policies hold them, to images as pretrained vision networks want them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Mean and standard deviation of red, green and blue, for images between 0 and 1."""

IMAGENET: Statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""ResNet, EfficientNet, DINOv2."""
CENTERED: Statistics = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""ViT, SigLIP: the range (-1, 1) as it is."""


class Pixels(nn.Module):
    """Images [N, H, W, 3] in (-1, 1) -> [N, 3, H', W'] with the statistics' mean and deviation taken out, resized to
    `size` (height, width) where that is given and differs."""

    scale: Tensor
    shift: Tensor

    def __init__(self, statistics: Statistics, size: tuple[int, int] | None = None) -> None:
        super().__init__()
        mean, std = (torch.tensor(values)[:, None, None] for values in statistics)
        self.register_buffer("scale", 0.5 / std, persistent=False)  # ((x + 1) / 2 - mean) / std
        self.register_buffer("shift", (0.5 - mean) / std, persistent=False)
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        x = images.permute(0, 3, 1, 2)  # channels last in memory, as convolutions like it
        if self.size is not None and x.shape[-2:] != self.size:
            x = F.interpolate(x, self.size, mode="bilinear", antialias=True, align_corners=False)
        return x * self.scale + self.shift
