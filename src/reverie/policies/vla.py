"""`vla`: the field's standard picture. Camera tokens, instruction tokens and state tokens in one transformer; learned
query tokens come out as a chunk of actions (as in ACT, Zhao et al. 2023, and OpenVLA-OFT, Kim et al. 2025).

Deviation: the small configuration sees with a backbone grounded in language, whose estimate of where the named things are
comes with the state and reaches the queries through a short MLP (`policies.encoders`).
Heads are interchangeable (`policies.heads`): L1, flow matching, tokens. Losses: the head's, and the encoder's own.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from reverie.nn.blocks import MLP, Transformer, learned
from reverie.nn.metrics import Batch
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.heads import HeadConfig, HeadedPolicy, build_head
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class VLAConfig:
    """horizon: control steps in a chunk; n_action_steps: how many are executed before the next look. hidden: of the two
    MLPs that read the state."""

    horizon: int = 10
    n_action_steps: int = 4
    n_obs_steps: int = 1
    obs_stride: int = 1
    dim: int = 128
    depth: int = 3
    n_heads: int = 4
    hidden: int = 256
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    head: HeadConfig = field(default_factory=HeadConfig)


class VLA(HeadedPolicy):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: VLAConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config = config
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.dim)
        self.time = learned(c.n_obs_steps, 1, c.dim)
        self.state = MLP(self.encoder.state_dim, c.hidden, c.dim)
        self.geometry = MLP(c.n_obs_steps * self.encoder.state_dim, c.hidden, c.dim)
        self.queries = learned(c.horizon, c.dim)
        self.trunk = Transformer(c.dim, c.depth, c.n_heads)
        self.head = build_head(c.head, shapes, c.dim, c.horizon)

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> one vector per control step [B, horizon, d], and what the encoder saw."""
        encoded = self.encoder(batch)
        query = self.queries + self.geometry(encoded.state.flatten(1))[:, None]  # [B, horizon, d]
        seen = (encoded.tokens + self.time).flatten(1, 2)  # [B, To N, d]
        state = self.state(encoded.state) + self.time[:, 0]  # [B, To, d]
        tokens = [t.to(seen.dtype) for t in (query, seen, encoded.text, state)]
        readable = [encoded.text_mask.new_ones(t.shape[:2]) for t in tokens]
        readable[2] = encoded.text_mask
        out = self.trunk(torch.cat(tokens, dim=1), torch.cat(readable, dim=1))
        return out[:, : self.config.horizon], encoded
