"""`bc`: behaviour cloning as plain as it gets (Pomerleau 1989; the image agent of Mandlekar et al. 2021, robomimic, BC): what
is seen, said and known of the robot, flattened, through an MLP to the next action, mean squared error.

Nothing in it guards against its own errors: each takes it further from what was demonstrated, where it knows less (Ross &
Bagnell 2010, theorem 2.1: the cost grows with the square of the time). `horizon` > 1 predicts a chunk instead, which asks it
less often; demonstrations that recover show it the way back. `bench/imitation.py` measures both.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.heads import HeadedPolicy, SquaredError
from reverie.policies.learned import PolicyShapes


@dataclass(frozen=True)
class BCConfig:
    """horizon: control steps that are predicted at once; n_action_steps: how many are executed before the next look."""

    horizon: int = 1
    n_action_steps: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    dim: int = 64
    widths: tuple[int, ...] = (512, 512)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class BC(HeadedPolicy):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: BCConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        c = config
        self.encoder = build_encoder(c.encoder, shapes, c.dim)
        features = c.n_obs_steps * (self.encoder.n_tokens * c.dim + self.encoder.state_dim) + c.dim
        sizes = (features, *c.widths)
        layers = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
        self.mlp = nn.Sequential(*layers, nn.Linear(sizes[-1], c.horizon * shapes.action_dim))
        self.head = SquaredError(shapes)

    def forward(self, batch: Batch) -> tuple[Tensor, Encoded]:
        """-> [B, horizon, A], and what the encoder saw."""
        encoded = self.encoder(batch)
        known = [encoded.tokens.flatten(1), encoded.state.flatten(1), encoded.sentence]
        actions = self.mlp(torch.cat([k.float() for k in known], dim=1))
        return cast(Tensor, actions).float().view(len(actions), self.config.horizon, -1), encoded
