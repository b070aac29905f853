"""`rt1`: RT-1 (Brohan et al. 2022, "RT-1: Robotics Transformer for Real-World Control at Scale", section 5.1).

Six frames. Each goes through an EfficientNet-B3 whose blocks are modulated by the sentence (FiLM, started at the identity),
TokenLearner makes 8 tokens of its positions, and a decoder-only transformer (8 layers, 8 heads of 128, width 512) reads the
6 x 8 = 48 tokens and says, for every dimension of the action, one of 256 bins. Cross-entropy; one action a look.

As the public code computes: a layer's feed-forward part is ONE dense layer of 512 without an activation
(`feedforward` = "dense", the default, because the published numbers rest on it; "mlp" is the usual one); the tokens of
actions, past and present, are zeroed before they enter, so all dimensions are read off in parallel.
Deviations: the paper's 11 dimensions (7 arm, 3 base, 1 mode) become those of the data, `terminate` included only if the data
has it; bounds are those of the training actions. The small configuration sees with the grounded backbone, and reads the
state, with where the named things are, from one token a frame more (`state_token`; RT-1 had no state).
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from reverie.nn.blocks import MLP, Attention, learned
from reverie.nn.masks import blockwise
from reverie.nn.metrics import Batch
from reverie.nn.token_learner import TokenLearner
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.heads import HeadConfig, HeadedPolicy, TokenHead
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class RT1Config:
    """horizon: actions that are said at once (1 in the paper)."""

    horizon: int = 1
    n_action_steps: int = 1
    n_obs_steps: int = 6
    obs_stride: int = 1
    image_dim: int = 128
    n_tokens: int = 8
    dim: int = 128
    depth: int = 3
    n_heads: int = 4
    head_dim: int = 32
    dropout: float = 0.1
    feedforward: Literal["dense", "mlp"] = "dense"
    state_token: bool = True
    n_bins: int = 256
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class Layer(nn.Module):
    """Pre-norm attention, then one dense layer (or an MLP)."""

    def __init__(self, c: RT1Config) -> None:
        super().__init__()
        self.norm_attention, self.norm_out = nn.LayerNorm(c.dim), nn.LayerNorm(c.dim)
        self.attention = Attention(c.dim, c.n_heads, c.head_dim)
        self.out = nn.Linear(c.dim, c.dim) if c.feedforward == "dense" else MLP(c.dim, 4 * c.dim, c.dim)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, pairs: Tensor) -> Tensor:
        x = x + self.attention(self.norm_attention(x), pairs=pairs)
        return x + self.dropout(self.out(self.norm_out(x)))  # type: ignore[no-any-return]


class RT1(HeadedPolicy):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: RT1Config, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config = config
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.image_dim)
        self.token_learner = TokenLearner(c.image_dim, c.n_tokens)
        self.into = nn.Linear(c.image_dim, c.dim)
        self.state = nn.Linear(self.encoder.state_dim, c.dim) if c.state_token else None
        self.n_frame = c.n_tokens + c.state_token
        n_out = c.horizon * shapes.action_dim
        self.order = learned(c.n_obs_steps * self.n_frame + n_out, c.dim)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.depth))
        self.head = TokenHead(HeadConfig("tokens", n_bins=c.n_bins), shapes, c.dim, c.horizon, per_dimension=True)

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> one vector per action number [B, horizon, A, d], and what the encoder saw."""
        encoded = self.encoder(batch)
        tokens = self.into(self.token_learner(encoded.tokens.flatten(0, 1)))  # [B To, 8, d]
        tokens = tokens.view(*encoded.tokens.shape[:2], *tokens.shape[1:])  # [B, To, 8, d]
        if self.state is not None:
            tokens = torch.cat([tokens, self.state(encoded.state)[:, :, None].to(tokens.dtype)], dim=2)
        seen = tokens.flatten(1, 2)
        n_out = len(self.order) - seen.shape[1]
        x = torch.cat([seen, seen.new_zeros(len(seen), n_out, seen.shape[2])], dim=1) + self.order
        pairs = self._pairs(n_out, x.device)
        for layer in self.layers:
            x = layer(x, pairs)
        return x[:, -n_out:].view(len(x), self.config.horizon, -1, x.shape[2]), encoded

    def _pairs(self, n_out: int, device: torch.device) -> Tensor:
        """Frames read themselves and earlier ones; an action number reads all frames and itself, no other action."""
        frames = torch.arange(self.config.n_obs_steps, device=device).repeat_interleave(self.n_frame)
        last = torch.full((n_out,), self.config.n_obs_steps, device=device)
        pairs = blockwise(torch.cat([frames, last]))
        pairs[-n_out:, -n_out:] = torch.eye(n_out, dtype=torch.bool, device=device)
        return pairs
