"""`simple_vla`: the minimal VLA of every tutorial. A ResNet-18's average (512 numbers) and a BERT's first token (768), side by
side, through 512 -> 256 -> A with ReLU and dropout 0.1, to the next action, mean squared error, AdamW at 1e-4.

One camera, one frame, no state at that size. Deviations of the small configuration: it sees with the grounded backbone, all
its tokens side by side instead of an average, and where the named things are, because an average over four 64-pixel
images does not say it.
"""

from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.heads import HeadedPolicy, SquaredError
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class SimpleVLAConfig:
    """vision, language: widths of the two vectors. pool: one average of all tokens, or all side by side."""

    horizon: int = 1
    n_action_steps: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    vision: int = 64
    language: int = 64
    pool: Literal["mean", "flat"] = "flat"
    use_state: bool = True
    dropout: float = 0.1
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class SimpleVLA(HeadedPolicy):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: one normalised action [B, 1, A]."""

    def __init__(self, config: SimpleVLAConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config = config
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.vision, c.language)
        vision = c.vision * (self.encoder.n_tokens if c.pool == "flat" else 1)
        state = self.encoder.state_dim if c.use_state else 0
        self.mlp = nn.Sequential(
            nn.Linear(vision + c.language + state, 512),
            nn.ReLU(),
            nn.Dropout(c.dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(c.dropout),
            nn.Linear(256, shapes.action_dim),
        )
        self.head = SquaredError(shapes)

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> [B, 1, A], and what the encoder saw."""
        encoded = self.encoder(batch)
        tokens = encoded.tokens[:, -1]  # [B, N, vision]
        image = tokens.mean(1) if self.config.pool == "mean" else tokens.flatten(1)
        known = [image, encoded.text[:, 0]]
        if self.config.use_state:
            known.append(encoded.state[:, -1])
        return cast(Tensor, self.mlp(torch.cat([k.float() for k in known], dim=1))).float()[:, None], encoded
