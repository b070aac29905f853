"""Pretrained vision towers by name (`nn.hub`), as patch tokens: ViT, SigLIP, DINOv2, ResNet, EfficientNet."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reverie.core import unknown_name
from reverie.nn.hub import load_model
from reverie.nn.pixels import CENTERED, IMAGENET, Pixels, Statistics

_STATISTICS = {
    "vit": CENTERED,
    "siglip_vision_model": CENTERED,
    "dinov2": IMAGENET,
    "dinov2_with_registers": IMAGENET,
    "resnet": IMAGENET,
    "efficientnet": IMAGENET,
}
"""What the published weights of each type were trained with, for models that do not say."""
_CONVOLUTIONS = ("resnet", "efficientnet")


@dataclass(frozen=True)
class HubVisionConfig:
    """name: on the hub, or a folder. trained: its weights change with the policy's; otherwise they stay, and so does its
    batch norm. image_size: height and width that images are resized to; None: what a transformer was pretrained with, and
    the images' own size for convolutions."""

    name: str
    revision: str | None = None
    trained: bool = False
    image_size: tuple[int, int] | None = None


class HubVision(nn.Module):
    """Images [N, H, W, 3] in (-1, 1) -> patch tokens [N, P, dim], row by row, without class token and registers.

    The weights are in checkpoints, frozen or not; building it again still needs the name's files. Errors: ReverieError
    where they cannot be read, or the model is of a type that is not known here.
    """

    def __init__(self, config: HubVisionConfig) -> None:
        super().__init__()
        self.trained, self.model = config.trained, load_model(config.name, config.revision)
        described: Any = self.model.config
        self.kind = described.model_type
        if self.kind not in _STATISTICS:
            raise unknown_name(f"type of vision model in {config.name}:", self.kind, list(_STATISTICS))
        self.convolutional = self.kind in _CONVOLUTIONS
        self.n_special = 0 if self.kind == "siglip_vision_model" else 1 + getattr(described, "num_register_tokens", 0)
        self.dim = _width(described)
        size = config.image_size or (None if self.convolutional else _square(described.image_size))
        self.pixels = Pixels(_statistics(config, self.kind), size)
        if not config.trained:
            self.model.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "HubVision":
        super().train(mode)
        self.model.train(mode and self.trained)
        return self

    def forward(self, images: Tensor) -> Tensor:
        x = self.pixels(images)
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            if self.convolutional:
                return self._cells(x).flatten(2).transpose(1, 2)  # [N, d, h, w] -> [N, h w, d]
            # DINOv2 resamples its positions unasked
            asked = {"interpolate_pos_encoding": True} if self.kind in ("vit", "siglip_vision_model") else {}
            tokens: Tensor = self.model(pixel_values=x, **asked).last_hidden_state
        return tokens[:, self.n_special :]

    def _cells(self, x: Tensor) -> Tensor:
        """The last features; EfficientNet's own forward would pool them over a fixed window as well."""
        model: Any = self.model
        if self.kind == "efficientnet":
            return model.encoder(model.embeddings(x)).last_hidden_state  # type: ignore[no-any-return]
        return model(x).last_hidden_state  # type: ignore[no-any-return]


def _width(described: Any) -> int:
    if described.model_type == "resnet":
        return int(described.hidden_sizes[-1])
    return int(described.hidden_dim if described.model_type == "efficientnet" else described.hidden_size)


def _square(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _statistics(config: HubVisionConfig, kind: str) -> Statistics:
    """Mean and deviation from the model's preprocessor_config.json, where there is one."""
    from transformers.image_processing_base import ImageProcessingMixin

    if torch.get_default_device().type == "meta":
        return _STATISTICS[kind]
    try:
        said, _ = ImageProcessingMixin.get_image_processor_dict(config.name, revision=config.revision)
    except OSError:
        return _STATISTICS[kind]
    if not said.get("do_normalize", True) or "image_mean" not in said:
        return _STATISTICS[kind]
    mean, std = said["image_mean"], said["image_std"]
    if kind == "efficientnet" and said.get("include_top", True):
        std = [s * s for s in std]  # its processor divides by the deviation twice: the file holds square roots
    return tuple(mean), tuple(std)
