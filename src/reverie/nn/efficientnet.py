"""EfficientNet (Tan & Le 2019), with the instruction inside: FiLM after every MBConv block, as in RT-1 (Brohan et al.
2022, section 5.1). The network itself is transformers' `EfficientNetModel`, wrapped and not rewritten.

Every FiLM is (1 + gamma) x + beta with gamma = beta = 0 at the start, so pretrained features pass unchanged.
Deviation: batch norm moves its statistics by 1 % a batch in all layers, as published; transformers hands TensorFlow's
0.99 to PyTorch, which there would mean 99 %.
"""

from typing import Any, Literal, get_args

from torch import Tensor, nn

from reverie.core import unknown_name
from reverie.nn.convolution import FiLM

Variant = Literal["b0", "b1", "b2", "b3"]


def _size(width: float, depth: float, image_size: int, hidden_dim: int, odd: tuple[int, ...]) -> dict[str, Any]:
    scales = {"width_coefficient": width, "depth_coefficient": depth, "image_size": image_size}
    return {**scales, "hidden_dim": hidden_dim, "depthwise_padding": list(odd)}


PUBLISHED = {
    "b0": _size(1.0, 1.0, 224, 1280, ()),
    "b1": _size(1.0, 1.1, 240, 1280, (16,)),
    "b2": _size(1.1, 1.2, 260, 1408, (5, 8, 16)),
    "b3": _size(1.2, 1.4, 300, 1536, (5, 18)),
}
"""Tan & Le 2019, section 4. The last are blocks whose input has an odd side at that image size, and which the pretrained
weights therefore pad alike on both sides."""


def efficientnet_config(variant: Variant, **changes: Any) -> Any:
    """transformers' configuration of a published size (Tan & Le 2019, section 4), with `changes` of its entries."""
    from transformers import EfficientNetConfig

    if variant not in PUBLISHED:
        raise unknown_name("EfficientNet", variant, list(get_args(Variant)))
    return EfficientNetConfig(**{**PUBLISHED[variant], **changes})


def efficientnet(config: Any) -> nn.Module:
    """transformers' `EfficientNetModel`, drawn as the paper's code draws it: transformers draws even the scales of batch
    norm around 0, from which nothing is learned. Pretrained ones: `nn.hub.load_model`."""
    from transformers import EfficientNetModel

    model: nn.Module = EfficientNetModel(config)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1] / module.groups
            nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return model


def slow_statistics(model: nn.Module) -> None:
    """An EfficientNet's batch norm moves its running mean and variance by 1 % a batch."""
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.momentum = 0.01


class FilmedEfficientNet(nn.Module):
    """Images [N, 3, H, W], normalised, and a condition [N, d] -> [N, d_out, h, w], about H/32 x W/32.

    `d_out` None: the model's own last features; a number: those through a 1x1 convolution and one more FiLM (RT-1: 512).
    """

    def __init__(self, model: Any, condition_dim: int, d_out: int | None = None) -> None:
        super().__init__()
        self.stem, encoder = model.embeddings, model.encoder
        self.blocks = encoder.blocks
        self.films = nn.ModuleList(FiLM(condition_dim, b.projection.project_bn.num_features) for b in self.blocks)
        self.top = nn.Sequential(encoder.top_conv, encoder.top_bn, encoder.top_activation)
        width = encoder.top_bn.num_features
        self.dim = d_out or width
        self.out = nn.Conv2d(width, d_out, 1, bias=False) if d_out else None
        self.out_film = FiLM(condition_dim, d_out) if d_out else None
        for film in (m for m in self.modules() if isinstance(m, FiLM)):
            nn.init.zeros_(film.to_scale_shift.weight)
        slow_statistics(self)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        x = self.stem(images)
        for block, film in zip(self.blocks, self.films, strict=True):
            x = film(block(x), condition)
        x = self.top(x)
        if self.out is not None and self.out_film is not None:
            x = self.out_film(self.out(x), condition)
        return x  # type: ignore[no-any-return]
