"""Answers to simple questions, read off a grounded backbone that was asked instead of told."""

from typing import cast

import torch
from torch import Tensor, nn

from reverie.nn.blocks import MLP
from reverie.nn.grounding import SLOTS, Grounded, GroundingConfig, GroundingShapes


class AnswerHead(nn.Module):
    """Logits [B, n_answers] from the question, what is seen where its maps point, and what is seen anywhere (the largest
    and the mean response of every view: is there one, and how many)."""

    def __init__(self, config: GroundingConfig, shapes: GroundingShapes, n_answers: int) -> None:
        super().__init__()
        per_slot = config.text_width + 3 + shapes.n_views * (config.feature_width + 3)
        anywhere = shapes.n_views * 2 * config.deep_width
        self.shapes = shapes
        self.mlp = MLP(len(SLOTS) * per_slot + anywhere, 2 * config.hidden, n_answers)

    def forward(self, found: Grounded) -> Tensor:
        center = found.positions_m.new_tensor(self.shapes.position_center_m)
        where = (found.positions_m - center) / self.shapes.position_scale_m  # [B, S, 3]
        seen = torch.cat(
            [found.features.float(), found.points - 0.5, found.presence[..., None]], dim=-1
        )  # [B, V, S, .]
        context = found.context.float()  # [B, V, d, h, w]
        parts = [found.text[:, : len(SLOTS)], where, seen, context.amax((3, 4)), context.mean((3, 4))]
        return cast(Tensor, self.mlp(torch.cat([p.float().flatten(1) for p in parts], dim=1)))
