"""Vision transformers: ViT (Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", equations 1 to 4), SigLIP's tower
(Zhai et al. 2023: no class token) and DINOv2 (Oquab et al. 2023: layer scale; registers of Darcet et al. 2024), told
apart by configuration only. The four published towers that landmark policies use stand at the end.

Not here: SigLIP's attention pooling and ViT's pooler, which no policy reads, and DINOv2-giant's gated MLP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from reverie.nn.blocks import MLP, Attention, gelu_tanh, learned
from reverie.nn.loading import load_translated


@dataclass(frozen=True)
class ViTConfig:
    """image_size: height and width in pixels that positions are learned for. hidden: width of the MLP. layer_scale: what
    the scales of the residual branches start at (None: there are none). antialias: how positions are resampled."""

    image_size: tuple[int, int] = (224, 224)
    patch: int = 16
    dim: int = 768
    depth: int = 12
    n_heads: int = 12
    hidden: int = 3072
    class_token: bool = True
    n_registers: int = 0
    layer_scale: float | None = None
    activation: Literal["gelu", "gelu_tanh"] = "gelu"
    norm_eps: float = 1e-6
    antialias: bool = False
    dropout: float = 0.0

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.image_size[0] // self.patch, self.image_size[1] // self.patch


class ViTTokens(NamedTuple):
    """all [N, 1 + registers + P, d] (class token and registers first, where there are any); patches [N, P, d], row by
    row."""

    all: Tensor
    patches: Tensor


class ViTBlock(nn.Module):
    """x + scale attention(norm x), then x + scale mlp(norm x)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        c, activation = config, F.gelu if config.activation == "gelu" else gelu_tanh
        self.norm_attention, self.attention = nn.LayerNorm(c.dim, c.norm_eps), Attention(c.dim, c.n_heads)
        self.norm_mlp, self.mlp = nn.LayerNorm(c.dim, c.norm_eps), MLP(c.dim, c.hidden, c.dim, activation, c.dropout)
        self.scale_attention = _scale(c)
        self.scale_mlp = _scale(c)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(self.attention(self.norm_attention(x)))
        x = x + (y if self.scale_attention is None else self.scale_attention * y)
        y = self.dropout(self.mlp(self.norm_mlp(x)))
        return x + (y if self.scale_mlp is None else self.scale_mlp * y)  # type: ignore[no-any-return]


def _scale(config: ViTConfig) -> nn.Parameter | None:
    return None if config.layer_scale is None else nn.Parameter(torch.full((config.dim,), config.layer_scale))


class ViT(nn.Module):
    """Images [N, 3, H, W], normalised -> ViTTokens. Positions are resampled (bicubic) where H, W are not the configured
    size; both must be multiples of the patch."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        c, (rows, columns) = config, config.grid
        self.config = config
        self.embed = nn.Conv2d(3, c.dim, c.patch, c.patch)
        self.class_token = learned(c.dim) if c.class_token else None
        self.registers = learned(c.n_registers, c.dim) if c.n_registers else None
        self.positions = learned(int(c.class_token) + rows * columns, c.dim)
        self.blocks = nn.ModuleList(ViTBlock(c) for _ in range(c.depth))
        self.norm = nn.LayerNorm(c.dim, c.norm_eps)

    @property
    def n_special(self) -> int:
        """Tokens before the patches."""
        return int(self.config.class_token) + self.config.n_registers

    def forward(self, images: Tensor) -> ViTTokens:
        cells = self.embed(images)  # [N, d, h, w]
        x = cells.flatten(2).transpose(1, 2) + self._patch_positions(cells.shape[2], cells.shape[3])  # [N, P, d]
        if self.registers is not None:
            x = torch.cat([self.registers.expand(len(x), -1, -1), x], dim=1)
        if self.class_token is not None:
            first = (self.class_token + self.positions[0]).expand(len(x), 1, -1)
            x = torch.cat([first, x], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return ViTTokens(x, x[:, self.n_special :])

    def _patch_positions(self, h: int, w: int) -> Tensor:
        """[h w, d]"""
        known = self.positions[int(self.config.class_token) :]
        if (h, w) == self.config.grid:
            return known
        rows, columns = self.config.grid
        table = rearrange(known.float(), "(h w) d -> 1 d h w", h=rows, w=columns)
        table = F.interpolate(table, (h, w), mode="bicubic", antialias=self.config.antialias)
        return rearrange(table, "1 d h w -> (h w) d").to(known.dtype)


_LAYER = r"(?:encoder\.)?layers?\.(\d+)\."
_DIALECT = (
    (r"(?:head|pooler)\..*|embeddings\.mask_token", None),
    (r"embeddings\.cls_token", "class_token"),
    (r"embeddings\.register_tokens", "registers"),
    (r"embeddings\.position_embeddings|embeddings\.position_embedding\.weight", "positions"),
    (r"embeddings\.(?:patch_embeddings\.projection|patch_embedding)\.(.*)", r"embed.\1"),
    (_LAYER + r"(?:layernorm_before|layer_norm1|norm1)\.(.*)", r"blocks.\1.norm_attention.\2"),
    (_LAYER + r"(?:layernorm_after|layer_norm2|norm2)\.(.*)", r"blocks.\1.norm_mlp.\2"),
    (_LAYER + r"(?:attention|self_attn)\.(?:q_proj|attention\.query)\.(.*)", r"blocks.\1.attention.qkv[0].\2"),
    (_LAYER + r"(?:attention|self_attn)\.(?:k_proj|attention\.key)\.(.*)", r"blocks.\1.attention.qkv[1].\2"),
    (_LAYER + r"(?:attention|self_attn)\.(?:v_proj|attention\.value)\.(.*)", r"blocks.\1.attention.qkv[2].\2"),
    (_LAYER + r"(?:attention|self_attn)\.(?:o_proj|out_proj|output\.dense)\.(.*)", r"blocks.\1.attention.out.\2"),
    (_LAYER + r"layer_scale1\.lambda1", r"blocks.\1.scale_attention"),
    (_LAYER + r"layer_scale2\.lambda1", r"blocks.\1.scale_mlp"),
    (_LAYER + r"(?:mlp\.fc1|intermediate\.dense)\.(.*)", r"blocks.\1.mlp.into.\2"),
    (_LAYER + r"(?:mlp\.fc2|output\.dense)\.(.*)", r"blocks.\1.mlp.out.\2"),
    (r"(?:layernorm|post_layernorm)\.(.*)", r"norm.\1"),
)
"""Names of transformers' ViTModel, SiglipVisionModel, Dinov2Model and Dinov2WithRegistersModel; those of ViT's and
DINOv2's files before transformers 5 as well."""


def load_vit(vit: ViT, state: Mapping[str, Tensor]) -> None:
    """The state dict of transformers' ViTModel, SiglipVisionModel, Dinov2Model or Dinov2WithRegistersModel into a ViT of
    the same configuration. Errors: ReverieError where they do not fit."""
    named = {name.removeprefix("vision_model."): value for name, value in state.items()}
    load_translated(vit, named, _DIALECT, "transformers' vision transformer")


VIT_B16 = ViTConfig(norm_eps=1e-12)
"""ViT-B/16 (Dosovitskiy et al. 2021, table 1): 86M."""
SIGLIP_SO400M_14 = ViTConfig((224, 224), 14, 1152, 27, 16, 4304, class_token=False, activation="gelu_tanh")
"""The image tower of PaliGemma and pi0 at 224 pixels (Alabdulmohsin et al. 2023, SoViT-400m/14): 256 tokens."""
DINOV2_B14 = ViTConfig((518, 518), 14, layer_scale=1.0)
"""DINOv2 ViT-B/14 (Oquab et al. 2023, table 17): 86M."""
DINOV2_L14_REGISTERS = ViTConfig((518, 518), 14, 1024, 24, 16, 4096, n_registers=4, layer_scale=1.0, antialias=True)
"""DINOv2 ViT-L/14 with four registers, as in OpenVLA: 0.3B."""
