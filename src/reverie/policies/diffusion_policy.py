"""`diffusion_policy`: Chi et al. 2023, "Diffusion Policy: Visuomotor Policy Learning via Action Diffusion" (section III,
appendix A; tables of hyperparameters in appendix).

A chunk of Tp actions is denoised given To = 2 observations, and Ta of them are executed before the next look (receding
horizon). Noise is predicted; 100 training steps on the squared-cosine schedule, all of them (DDPM) or 10 (DDIM) at
inference; actions scaled to (-1, 1) by their range and estimates clipped there. Two denoisers:

* `unet`: 1-D convolutions over the chunk's time, modulated (FiLM) by step and observation (section III-A, CNN-based).
* `transformer`: the noisy actions as tokens, causal, that read the step and the observations (Transformer-based).

Observations: a ResNet-18 with group norm whose last maps become points by spatial softmax (`pool` = "points"), state, and
both frames side by side.

Deviations: cameras share one ResNet (the public code has one each); the instruction's mean joins the condition (`language`;
off at paper size: its tasks had none); as in the public code the chunk begins at the OLDEST observed frame there and at the newest here, so that
all policies of the catalog are trained on the same pairs. The small configuration sees with the grounded backbone, all tokens
side by side (`pool` = "flat"), and its state includes where the named things are.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor, nn

from reverie.nn.blocks import CrossBlock, learned
from reverie.nn.masks import causal
from reverie.nn.metrics import Batch, Metrics
from reverie.nn.spatial_softmax import SpatialSoftmax
from reverie.nn.time_embedding import Sinusoidal
from reverie.nn.unet1d import UNet1d, UNet1dConfig
from reverie.policies.chunks import Diffusion, DiffusionConfig, Scaling
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class TransformerConfig:
    """The paper's Transformer-based denoiser; dropout is of attention and MLP."""

    dim: int = 256
    depth: int = 8
    n_heads: int = 4
    dropout: float = 0.3


@dataclass(frozen=True)
class DiffusionPolicyConfig:
    """horizon: Tp; n_obs_steps: To; n_action_steps: Ta. n_points: spatial softmax points per camera (pool "points")."""

    horizon: int = 12
    n_action_steps: int = 4
    n_obs_steps: int = 2
    obs_stride: int = 1
    denoiser: Literal["unet", "transformer"] = "unet"
    unet: UNet1dConfig = field(default_factory=lambda: UNet1dConfig((48, 96, 192), step_dim=64))
    transformer: TransformerConfig = field(default_factory=lambda: TransformerConfig(128, 3, 4, 0.1))
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    dim: int = 16
    language: bool = True
    pool: Literal["points", "flat"] = "flat"
    n_points: int = 32
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class TransformerDenoiser(nn.Module):
    """Noisy [B, H, A], steps [B], observations [B, To, d_o] -> noise [B, H, A]."""

    def __init__(self, action_dim: int, observed_dim: int, config: DiffusionPolicyConfig) -> None:
        super().__init__()
        c = config.transformer
        self.into, self.out = nn.Linear(action_dim, c.dim), nn.Linear(c.dim, action_dim)
        self.observed, self.step = nn.Linear(observed_dim, c.dim), Sinusoidal(c.dim)
        self.order, self.memory_order = learned(config.horizon, c.dim), learned(1 + config.n_obs_steps, c.dim)
        self.blocks = nn.ModuleList(CrossBlock(c.dim, c.n_heads, dropout=c.dropout) for _ in range(c.depth))
        self.norm = nn.LayerNorm(c.dim)

    def forward(self, observed: Tensor, noisy: Tensor, steps: Tensor) -> Tensor:
        told = self.step(steps)[:, None]
        memory = torch.cat([told, self.observed(observed)], dim=1) + self.memory_order  # [B, 1 + To, d]
        x = self.into(noisy) + self.order
        for block in self.blocks:
            x = block(x, memory, pairs=causal(x.shape[1], x.device))
        return cast(Tensor, self.out(self.norm(x)))


class UNetDenoiser(nn.Module):
    """The same for the U-Net, whose condition is one vector."""

    def __init__(self, action_dim: int, observed_dim: int, config: DiffusionPolicyConfig) -> None:
        super().__init__()
        self.unet = UNet1d(action_dim, config.n_obs_steps * observed_dim, config.unet)

    def forward(self, observed: Tensor, noisy: Tensor, steps: Tensor) -> Tensor:
        return cast(Tensor, self.unet(noisy, steps, observed.flatten(1)))


class DiffusionPolicy(nn.Module):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, Tp, A]."""

    def __init__(self, config: DiffusionPolicyConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.dim)
        grid, views = self.encoder.grid, shapes.grounding.n_views
        self.points = SpatialSoftmax(c.dim, c.n_points) if c.pool == "points" and grid else None
        image = views * 2 * c.n_points if self.points else self.encoder.n_tokens * c.dim
        observed = image + self.encoder.state_dim + (c.dim if c.language else 0)
        kind = UNetDenoiser if c.denoiser == "unet" else TransformerDenoiser
        self.denoiser = kind(shapes.action_dim, observed, c)
        self.diffusion, self.scaling = Diffusion(c.diffusion), Scaling(shapes, "range")

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> what the denoiser is told of every observed time [B, To, d_o], and what the encoder saw."""
        encoded = self.encoder(batch)
        times = encoded.tokens.shape[1]
        parts = [self._image(encoded.tokens), encoded.state]
        if self.config.language:
            parts.append(encoded.sentence[:, None].expand(-1, times, -1))
        return torch.cat([p.float() for p in parts], dim=2), encoded

    def _image(self, tokens: Tensor) -> Tensor:
        """Tokens [B, To, N, d] -> [B, To, n]."""
        if self.points is None:
            return tokens.flatten(2)
        b, times, _, d = tokens.shape
        rows, columns = cast(tuple[int, int], self.encoder.grid)
        maps = tokens.reshape(-1, rows, columns, d).permute(0, 3, 1, 2)  # [B To V, d, h, w]
        return cast(Tensor, self.points(maps)).view(b, times, -1)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: actions [B, Tp, A] and action_valid [B, Tp] beside what the encoder needs."""
        observed, encoded = self(batch)
        chunk = self.scaling.into(batch["actions"])
        noise = self.diffusion.loss(partial(self.denoiser, observed), chunk, batch["action_valid"])
        auxiliary, more = self.encoder.auxiliary_loss(encoded, batch)
        return noise.value + auxiliary, {"noise": noise} | more

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        observed, _ = self(batch)
        shape = self.config.horizon, self.shapes.action_dim
        return self.scaling.out(self.diffusion.sample(partial(self.denoiser, observed), shape, seeds, observed.device))
