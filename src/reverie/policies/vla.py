"""`vla`: the field's standard picture. Camera tokens, instruction tokens and state tokens in one transformer; learned
query tokens come out as a chunk of actions (L1, as in ACT, Zhao et al. 2023, and OpenVLA-OFT, Kim et al. 2025).

Deviation: the cameras are seen by a backbone grounded in language (`nn.grounding`), whose heat-maps say where the named
things are in every image. Its estimate of where they are on the table, and of the last centimetres between them and the
hand, reaches the queries through a short MLP, without gradient: the estimate is learned from positions (where the data
has any), the actions from actions.
Losses: L1 on normalised actions, binary cross-entropy on the gripper, grounding.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.blocks import MLP, Transformer, learned
from reverie.nn.grounding import SLOTS, Grounded, GroundingBackbone, GroundingConfig
from reverie.nn.grounding_loss import GroundingWeights, grounding_loss
from reverie.nn.metrics import Batch, Metrics, mean_of
from reverie.policies.learned import PolicyShapes, stack_views


@dataclass(frozen=True)
class VLAConfig:
    """horizon: control steps in a chunk; n_action_steps: how many are executed before the next look. near_m: distances to
    the hand that are resolved well (none: no such input; no effect where the state does not say where the hand is)."""

    horizon: int = 10
    n_action_steps: int = 4
    n_obs_steps: int = 1
    obs_stride: int = 1
    dim: int = 128
    depth: int = 3
    n_heads: int = 4
    view_cells: int = 2
    gripper_weight: float = 0.3
    near_m: tuple[float, ...] = (0.03, 0.1)
    grounding: GroundingConfig = field(default_factory=GroundingConfig)
    grounding_weights: GroundingWeights = field(default_factory=GroundingWeights)


class VLA(nn.Module):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: VLAConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        c, g, s = config, config.grounding, shapes
        self.backbone = GroundingBackbone(g, s.grounding)
        self.cells = nn.Conv2d(g.deep_width, c.dim, 1)
        self.cell_place = learned(s.grounding.n_views, c.view_cells**2, c.dim)
        self.point = nn.Linear(g.feature_width + 3, c.dim)
        self.point_place = learned(s.grounding.n_views, len(SLOTS), c.dim)
        self.words = nn.Linear(g.text_width, c.dim)
        self.state = MLP(s.grounding.state_dim, g.hidden, c.dim) if s.grounding.state_dim else None
        self.hand = s.grounding.hand if c.near_m else None
        n_ways = len(c.near_m) if self.hand else 0
        self.geometry = MLP(len(SLOTS) * (5 + 3 * n_ways) + s.grounding.state_dim, g.hidden, c.dim)
        self.queries = learned(c.horizon, c.dim)
        self.trunk = Transformer(c.dim, c.depth, c.n_heads)
        self.head = nn.Linear(c.dim, s.action_dim)
        gripper = torch.zeros(s.action_dim, dtype=torch.bool)
        gripper[list(s.gripper)] = True
        self.register_buffer("is_gripper", gripper, persistent=False)

    def forward(self, batch: Batch) -> tuple[Tensor, Grounded]:
        """-> [B, horizon, A], the gripper's numbers still as logits; and what the backbone found."""
        state = batch["state"].flatten(1)  # [B, To D]
        found = self.backbone(stack_views(batch, self.shapes), batch["instructions"], state)
        query = self.queries + self.geometry(self._where(found, state))[:, None]  # [B, horizon, d]
        tokens = [query, self._cell_tokens(found), self._point_tokens(found), self.words(found.text)]
        if self.state is not None:
            tokens.append(self.state(state)[:, None])
        readable = [found.text_mask.new_ones(t.shape[:2]) for t in tokens]
        readable[3] = found.text_mask
        dtype = tokens[1].dtype
        out = self.trunk(torch.cat([t.to(dtype) for t in tokens], dim=1), torch.cat(readable, dim=1))
        return self.head(out[:, : self.config.horizon]).float(), found

    def _where(self, found: Grounded, state: Tensor) -> Tensor:
        """Positions (normalised), yaws, state, and N times the way from the hand: [B, S 5 + D + N S 3], no gradient."""
        g = self.shapes.grounding
        positions = (found.positions_m - found.positions_m.new_tensor(g.position_center_m)) / g.position_scale_m
        where = [positions.flatten(1), found.yaws.flatten(1), state]
        if self.hand is not None:
            way = found.positions_m - self.hand.of(state)[:, None]  # [B, S, 3] metres
            where += [torch.tanh(way / near).flatten(1) for near in self.config.near_m]
        return torch.cat(where, dim=1).detach()

    def _cell_tokens(self, found: Grounded) -> Tensor:
        """Coarse cells of every view: [B, V cells^2, d]."""
        b, v = found.context.shape[:2]
        pooled = F.adaptive_avg_pool2d(found.context.flatten(0, 1), self.config.view_cells)
        cells: Tensor = self.cells(pooled).flatten(2).transpose(1, 2)  # [B V, cells^2, d]
        tokens: Tensor = cells.view(b, v, -1, self.config.dim) + self.cell_place
        return tokens.flatten(1, 2)

    def _point_tokens(self, found: Grounded) -> Tensor:
        """What is seen where the named things are, in every view: [B, V S, d]."""
        seen = torch.cat([found.features.float(), found.points - 0.5, found.presence[..., None]], dim=-1)
        points: Tensor = self.point(seen) + self.point_place
        return points.flatten(1, 2)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: actions [B, horizon, A] and action_valid [B, horizon] beside what `forward` and the grounding need."""
        predicted, found = self(batch)
        valid = batch["action_valid"][..., None].expand_as(predicted)
        gripper = self.is_gripper.expand_as(predicted)  # type: ignore[operator]
        l1 = mean_of((self._values(predicted) - batch["actions"]).abs(), valid)
        wanted = batch["actions"].clamp(0, 1)
        bce = mean_of(F.binary_cross_entropy_with_logits(predicted, wanted, reduction="none"), valid & gripper)
        loss, metrics = grounding_loss(
            found, batch, self.backbone.grid, self.shapes.grounding.position_scale_m, self.config.grounding_weights
        )
        loss = loss + l1.value + self.config.gripper_weight * bce.value
        return loss, {"actions": l1, "gripper": bce} | metrics

    def _values(self, predicted: Tensor) -> Tensor:
        """Gripper logits to openings in (0, 1)."""
        return torch.where(self.is_gripper, predicted.sigmoid(), predicted)  # type: ignore[arg-type]

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        return self._values(self(batch)[0])
