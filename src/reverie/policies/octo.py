"""`octo`: a generalist transformer policy (Octo Model Team 2024, "Octo: An Open-Source Generalist Robot Policy", section III;
sizes S and B of its model card).

Tokens: the instruction's (T5, frozen, 16 of them), and for every observed time those of the images (a small convolutional
stem, patches of 16) and one readout. Attention is block-causal: an observation reads the instruction and observations up to
its own time; a readout reads those too, and is read by nothing but later readouts, so heads can be added without changing
what the trunk computes. The instruction's tokens are repeated at every time (`repeat_task_tokens`). The newest readout is the
condition of a diffusion head: a residual MLP of 3 blocks that denoises the whole chunk of 4 actions in 20 DDPM steps (cosine
schedule, noise predicted, clipped at 5).

Deviations: a state token per time (`state_token`; Octo's released models have none), which holds where the named things are if the
encoder is grounded; the loss is taken at the newest time only; no goal images.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.blocks import Transformer, learned
from reverie.nn.masks import blockwise
from reverie.nn.metrics import Batch, Metrics
from reverie.nn.time_embedding import LearnedFourier
from reverie.policies.chunks import Diffusion, DiffusionConfig, Scaling
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class OctoConfig:
    """horizon: actions in a chunk; n_obs_steps: the window; head_*: the residual MLP that denoises."""

    horizon: int = 10
    n_action_steps: int = 4
    n_obs_steps: int = 2
    obs_stride: int = 1
    dim: int = 128
    depth: int = 3
    n_heads: int = 4
    repeat_task_tokens: bool = True
    state_token: bool = True
    diffusion: DiffusionConfig = field(default_factory=lambda: DiffusionConfig(20, "ddpm", clip=5.0, draws=4))
    head_width: int = 256
    head_blocks: int = 3
    head_dropout: float = 0.1
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class ResidualMLP(nn.Module):
    """Noisy chunk [B, H, A], diffusion steps [B], condition [B, d] -> noise [B, H, A]: `blocks` times x + MLP(norm x), with
    swish, over the whole chunk as one vector."""

    def __init__(self, horizon: int, action_dim: int, c: OctoConfig) -> None:
        super().__init__()
        n, width = horizon * action_dim, c.head_width
        self.fourier = LearnedFourier(32)
        self.time = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 32))
        self.into, self.out = nn.Linear(n + c.dim + 32, width), nn.Linear(width, n)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Dropout(c.head_dropout),
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.SiLU(),
                nn.Linear(4 * width, width),
            )
            for _ in range(c.head_blocks)
        )

    def forward(self, condition: Tensor, noisy: Tensor, steps: Tensor) -> Tensor:
        told = self.time(self.fourier(steps.float()))
        x = self.into(torch.cat([noisy.flatten(1), condition, told], dim=1))
        for block in self.blocks:
            x = x + block(x)
        return cast(Tensor, self.out(F.silu(x))).view(noisy.shape)


class Octo(nn.Module):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: OctoConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.dim)
        self.state = nn.Linear(self.encoder.state_dim, c.dim) if c.state_token else None
        self.readout = learned(1, c.dim)
        self.time = learned(c.n_obs_steps, 1, c.dim)
        self.trunk = Transformer(c.dim, c.depth, c.n_heads)
        self.denoiser = ResidualMLP(c.horizon, shapes.action_dim, c)
        self.diffusion, self.scaling = Diffusion(c.diffusion), Scaling(shapes, "openings")

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> the newest readout [B, d], and what the encoder saw."""
        encoded = self.encoder(batch)
        b, times = encoded.tokens.shape[:2]
        seen = [encoded.tokens]
        if self.state is not None:
            seen.append(self.state(encoded.state)[:, :, None])
        if self.config.repeat_task_tokens:
            seen.append(encoded.text[:, None].expand(-1, times, -1, -1))
        seen.append(self.readout.expand(b, times, -1, -1))
        steps = torch.cat([t.to(encoded.tokens.dtype) for t in seen], dim=2) + self.time  # [B, To, M, d]
        x = torch.cat([encoded.text.to(steps.dtype), steps.flatten(1, 2)], dim=1)
        out = self.trunk(x, self._readable(encoded, steps.shape[2]), self._pairs(encoded, steps.shape[2]))
        return cast(Tensor, out[:, -1]).float(), encoded

    def _readable(self, encoded: Encoded, per_step: int) -> Tensor:
        """[B, N]: all but the padding of instructions."""
        b, times = encoded.tokens.shape[:2]
        step = encoded.text_mask.new_ones(b, times, per_step)
        if self.config.repeat_task_tokens:
            words = encoded.text.shape[1]
            step[:, :, -1 - words : -1] = encoded.text_mask[:, None]
        return torch.cat([encoded.text_mask, step.flatten(1)], dim=1)

    def _pairs(self, encoded: Encoded, per_step: int) -> Tensor:
        """[N, N]: the task is block 0, what is observed at time t block t + 1; readouts are read by readouts alone."""
        words, times = encoded.text.shape[1], encoded.tokens.shape[1]
        device = encoded.text.device
        task = torch.zeros(words, dtype=torch.long, device=device)
        blocks = torch.cat([task, 1 + torch.arange(times, device=device).repeat_interleave(per_step)])
        readout = torch.zeros(len(blocks), dtype=torch.bool, device=device)
        readout[words + per_step - 1 :: per_step] = True
        return blockwise(blocks) & (readout[:, None] | ~readout[None])

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: actions [B, horizon, A] and action_valid [B, horizon] beside what the encoder needs."""
        condition, encoded = self(batch)
        chunk = self.scaling.into(batch["actions"])
        noise = self.diffusion.loss(partial(self.denoiser, condition), chunk, batch["action_valid"])
        auxiliary, more = self.encoder.auxiliary_loss(encoded, batch)
        return noise.value + auxiliary, {"noise": noise} | more

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        condition, _ = self(batch)
        shape = self.config.horizon, self.shapes.action_dim
        return self.scaling.out(
            self.diffusion.sample(partial(self.denoiser, condition), shape, seeds, condition.device)
        )
