"""`act`: Action Chunking with Transformers (Zhao et al. 2023, "Learning Fine-Grained Bimanual Manipulation with Low-Cost
Hardware", sections IV-B and C, appendix C; hyperparameters of table III).

A conditional variational autoencoder over chunks a_{t:t+k}. The CVAE encoder q(z | a, s) reads [CLS], the state and the
chunk and says mean and variance of the style z; the decoder pi(a | o, z) is a DETR: an encoder over image tokens, state and
z, and a decoder whose k queries come out as the chunk. Training: L1 + beta KL(q || N(0, 1)), beta = 10. At test time z = 0,
the policy is asked every step, and all predictions for a moment are averaged, w_i = exp(-m i), m = 0.01, i = 0 the oldest.

Deviations. The instruction's tokens join the encoder's input (`language`; off at paper size: ACT had none). Small errors count
squared (`squared_below`; not at paper size). The public code
uses only the FIRST of its 7 decoder layers (it indexes the list of their outputs with 0), and the published
numbers were obtained so: `layers_used` = 1 is that, and the default, because it is what was measured; 7 uses all. The
other six then have no effect, but are counted among its 84 million parameters. State includes where the named things are, if
the encoder is grounded.
"""

from dataclasses import dataclass, field
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.blocks import MLP, CrossAttention, learned
from reverie.nn.metrics import Batch, Metrics, mean_of
from reverie.nn.time_embedding import Sinusoidal
from reverie.policies.chunks import absolute, gripper_mask
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class ACTConfig:
    """horizon: the paper's k; layers_used: of the decoder; ensemble_m: how fast newer predictions lose weight (None: the
    chunk is executed for n_action_steps as it is); squared_below: `chunks.absolute` (0 in the paper)."""

    horizon: int = 10
    n_action_steps: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    dim: int = 128
    n_heads: int = 4
    feedforward: int = 512
    encoder_layers: int = 3
    decoder_layers: int = 1
    layers_used: int = 1
    style_layers: int = 2
    style_dim: int = 32
    beta: float = 10.0
    squared_below: float = 1.0
    dropout: float = 0.1
    ensemble_m: float | None = 0.01
    language: bool = True
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class EncoderLayer(nn.Module):
    """DETR's: post-norm, positions added to queries and keys, not to values (Carion et al. 2020, appendix A.3)."""

    def __init__(self, c: ACTConfig) -> None:
        super().__init__()
        self.attention = CrossAttention(c.dim, c.n_heads, dropout=c.dropout)
        self.norm_attention, self.norm_mlp = nn.LayerNorm(c.dim), nn.LayerNorm(c.dim)
        self.mlp = MLP(c.dim, c.feedforward, c.dim, activation=F.relu, dropout=c.dropout)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        at = x + place
        x = self.norm_attention(x + self.dropout(self.attention(at, at, mask, values=x)))
        return cast(Tensor, self.norm_mlp(x + self.dropout(self.mlp(x))))


class DecoderLayer(nn.Module):
    """DETR's: queries read each other, then the memory."""

    def __init__(self, c: ACTConfig) -> None:
        super().__init__()
        self.attention = CrossAttention(c.dim, c.n_heads, dropout=c.dropout)
        self.cross = CrossAttention(c.dim, c.n_heads, dropout=c.dropout)
        self.norm_attention, self.norm_cross, self.norm_mlp = (nn.LayerNorm(c.dim) for _ in range(3))
        self.mlp = MLP(c.dim, c.feedforward, c.dim, activation=F.relu, dropout=c.dropout)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, query: Tensor, memory: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        at = x + query
        x = self.norm_attention(x + self.dropout(self.attention(at, at, values=x)))
        read = self.cross(x + query, memory + place, mask, values=memory)
        x = self.norm_cross(x + self.dropout(read))
        return cast(Tensor, self.norm_mlp(x + self.dropout(self.mlp(x))))


class StyleEncoder(nn.Module):
    """q(z | a, s): [CLS], state and chunk through a transformer; mean and log-variance [B, style_dim] from [CLS]."""

    def __init__(self, c: ACTConfig, state_dim: int, action_dim: int) -> None:
        super().__init__()
        self.cls = learned(1, c.dim)
        self.state, self.action = nn.Linear(state_dim, c.dim), nn.Linear(action_dim, c.dim)
        self.layers = nn.ModuleList(EncoderLayer(c) for _ in range(c.style_layers))
        self.order = Sinusoidal(c.dim)
        self.out = nn.Linear(c.dim, 2 * c.style_dim)

    def forward(self, state: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        cls = self.cls.expand(len(actions), 1, -1)
        x = torch.cat([cls, self.state(state)[:, None], self.action(actions)], dim=1)  # [B, 2 + k, d]
        mask = torch.cat([valid.new_ones(len(valid), 2), valid], dim=1)
        place = self.order(torch.arange(x.shape[1], device=x.device))
        for layer in self.layers:
            x = layer(x, place, mask)
        mean, log_variance = cast(Tensor, self.out(x[:, 0])).float().chunk(2, dim=1)
        return mean, log_variance


class ACT(nn.Module):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, k, A]."""

    def __init__(self, config: ACTConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config = config
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.dim)
        self.style_encoder = StyleEncoder(c, self.encoder.state_dim, shapes.action_dim)
        self.style, self.state = nn.Linear(c.style_dim, c.dim), nn.Linear(self.encoder.state_dim, c.dim)
        self.place = learned(2, c.dim)
        self.layers = nn.ModuleList(EncoderLayer(c) for _ in range(c.encoder_layers))
        self.queries = learned(c.horizon, c.dim)
        self.decoder = nn.ModuleList(DecoderLayer(c) for _ in range(c.decoder_layers))
        self.norm = nn.LayerNorm(c.dim)
        self.out = nn.Linear(c.dim, shapes.action_dim)
        self.register_buffer("is_gripper", gripper_mask(shapes), persistent=False)

    def forward(self, encoded: Encoded, z: Tensor) -> Tensor:
        """What was seen and a style z [B, style_dim] -> chunk [B, k, A], the gripper's numbers still as logits."""
        memory, place, mask = self._inputs(encoded, z)
        for layer in self.layers:
            memory = layer(memory, place, mask)
        query = self.queries.expand(len(z), -1, -1)
        x = torch.zeros_like(query)
        for layer in list(self.decoder)[: self.config.layers_used]:
            x = layer(x, query, memory, place, mask)
        return cast(Tensor, self.out(self.norm(x))).float()

    def _inputs(self, encoded: Encoded, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [B, N, d] of style, state, images and words, their positions, and which may be read."""
        state = encoded.state[:, -1]
        tokens = [self.style(z)[:, None], self.state(state)[:, None], encoded.tokens[:, -1]]
        mask = [encoded.text_mask.new_ones(t.shape[:2]) for t in tokens]
        if self.config.language:
            tokens.append(encoded.text)
            mask.append(encoded.text_mask)
        x = torch.cat([t.float() for t in tokens], dim=1)
        place = torch.cat([self.place, self.place.new_zeros(x.shape[1] - 2, x.shape[2])])  # images carry their own
        return x, place, torch.cat(mask, dim=1)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: actions [B, k, A] and action_valid [B, k] beside what the encoder needs."""
        actions, valid = batch["actions"], batch["action_valid"]
        encoded = self.encoder(batch)
        mean, log_variance = self.style_encoder(encoded.state[:, -1], actions, valid)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        values, every = self._values(self(encoded, z)), valid[..., None].expand_as(actions)
        l1 = mean_of(absolute(values, actions, self.config.squared_below), every)
        off = mean_of((values.detach() - actions).abs(), every)
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)  # [B]
        style = mean_of(kl, valid.any(1))
        auxiliary, more = self.encoder.auxiliary_loss(encoded, batch)
        return l1.value + self.config.beta * style.value + auxiliary, {
            "regressed": l1,
            "actions": off,
            "style_kl": style,
        } | more

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        encoded = self.encoder(batch)
        return self._values(self(encoded, encoded.state.new_zeros(len(seeds), self.config.style_dim)))

    def _values(self, predicted: Tensor) -> Tensor:
        """Gripper logits to openings in (0, 1)."""
        return torch.where(cast(Tensor, self.is_gripper), predicted.sigmoid(), predicted)
