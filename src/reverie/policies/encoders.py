"""Observation encoders: cameras, instruction and state as every policy of the catalog gets them, tokens of one width.

`grounded` is the backbone that knows where the named things are (`nn.grounding`): the small configurations see with it.
The other kinds are what the papers used. Time is folded into the batch: every observed frame is looked at by itself, so a
backbone that was pretrained on single frames serves a policy that remembers several.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from reverie.nn.blocks import learned
from reverie.nn.grounding import SLOTS, Grounded, GroundingBackbone, GroundingConfig
from reverie.nn.grounding_loss import GroundingWeights, grounding_loss
from reverie.nn.metrics import Batch, Metrics
from reverie.nn.text import build_text
from reverie.nn.text_config import TextConfig
from reverie.policies.learned import PolicyShapes, stack_views
from reverie.policies.towers import TowerConfig, build_tower

SEEN = ("points", "presence", "features", "positions_m", "yaws", "context")
"""Parts of `Grounded` that an encoder reads. A batch that holds them as `seen.<name>` [B, To, ...] needs no images: a frozen
backbone has looked at its frames before."""
_NEAR_RAD = 0.15
Kind = Literal["grounded", "resnet", "vit", "efficientnet", "stem", "hub"]


@dataclass(frozen=True)
class EncoderConfig:
    """grounding, grounding_weights, cells, near_m, symmetries: of the kind `grounded`; cells: coarse cells a side that
    become tokens; near_m: distances from the hand to the named things that are resolved well; symmetries: of how many
    turns alike in a full one it is said how far the hand is turned from such a thing (none: no such input; no effect where
    the state does not say where the hand is, or how it is turned). text, tower: of all other kinds."""

    kind: Kind = "grounded"
    grounding: GroundingConfig = field(default_factory=GroundingConfig)
    grounding_weights: GroundingWeights = field(default_factory=GroundingWeights)
    cells: int = 2
    near_m: tuple[float, ...] = (0.03, 0.1)
    symmetries: tuple[int, ...] = (1, 2, 4)
    text: TextConfig = field(default_factory=TextConfig)
    tower: TowerConfig = field(default_factory=TowerConfig)


class Encoded(NamedTuple):
    """tokens [B, To, N, d] of all views of each frame; text [B, L, d] with its mask [B, L]; state [B, To, D]: the
    policy's own, then, if grounded, where the named things are; found: of all B To frames (grounded only)."""

    tokens: Tensor
    text: Tensor
    text_mask: Tensor
    state: Tensor
    found: Grounded | None

    @property
    def sentence(self) -> Tensor:
        """The mean of the instruction's tokens, [B, d]."""
        weights = self.text_mask.to(self.text.dtype)[..., None]
        return (self.text * weights).sum(1) / weights.sum(1).clamp_min(1)


class Place(NamedTuple):
    """What an image token covers: a box (left, top, right, bottom) in fractions of a view's image. slot: the named thing
    that is looked at there; none: a cell of a grid."""

    view: int
    box: tuple[float, float, float, float]
    slot: str | None = None


def grid_places(n_views: int, rows: int, columns: int) -> list[Place]:
    """The cells of a grid over every view, row by row."""
    grid = [(column / columns, row / rows) for row in range(rows) for column in range(columns)]
    return [Place(v, (x, y, x + 1 / columns, y + 1 / rows)) for v in range(n_views) for x, y in grid]


def build_encoder(config: EncoderConfig, shapes: PolicyShapes, dim: int, text_dim: int = 0) -> "GroundedEncoder | TowerEncoder":  # fmt: skip
    """`dim` is the width d of the image tokens and, if `text_dim` does not say otherwise, of the instruction's."""
    kind = GroundedEncoder if config.kind == "grounded" else TowerEncoder
    return kind(config, shapes, dim, text_dim or dim)


def projection(d_in: int, d_out: int) -> nn.Module:
    return nn.Identity() if d_in == d_out else nn.Linear(d_in, d_out)


class GroundedEncoder(nn.Module):
    """Per view: coarse cells, and what is seen where the named things are. The estimate of where they are joins the state,
    without gradient: it is learned from positions (where the data has any), the actions from actions."""

    def __init__(self, config: EncoderConfig, shapes: PolicyShapes, dim: int, text_dim: int) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        g, s = config.grounding, shapes.grounding
        self.backbone = GroundingBackbone(g, s)
        self.cells = nn.Conv2d(g.deep_width, dim, 1)
        self.cell_place = learned(s.n_views, config.cells**2, dim)
        self.point = nn.Linear(g.feature_width + 3, dim)
        self.point_place = learned(s.n_views, len(SLOTS), dim)
        self.words = nn.Linear(g.text_width, text_dim)
        self.hand = s.hand if config.near_m else None
        self.heading = s.heading if config.symmetries else None
        n_ways, n_turns = len(config.near_m) if self.hand else 0, len(config.symmetries) if self.heading else 0
        self.n_tokens, self.grid = s.n_views * (config.cells**2 + len(SLOTS)), None
        self.state_dim = s.state_dim + len(SLOTS) * (5 + 3 * n_ways + 2 * n_turns)

    def forward(self, batch: Batch) -> Encoded:
        state = batch["state"]
        b, times = state.shape[:2]
        found = self._remembered(batch) if "seen.points" in batch else self._look(batch)
        tokens = torch.cat([self._cells(found), self._points(found)], dim=1)  # [B To, N, d]
        newest = slice(times - 1, None, times)
        return Encoded(
            tokens.view(b, times, *tokens.shape[1:]),
            self.words(found.text[newest]),
            found.text_mask[newest],
            torch.cat([state, self._where(found, state.flatten(0, 1)).view(b, times, -1)], dim=-1),
            found,
        )

    def places(self, encoded: Encoded) -> list[Place]:
        """What the N tokens of the newest frame of the last row cover. Those of named things: the crop that is looked at
        again there, or one cell of the heat-map."""
        assert encoded.found is not None
        g, s = self.config.grounding, self.shapes.grounding
        side = g.glimpse or g.patch
        half_u, half_v = side / s.width / 2, side / s.height / 2
        points = encoded.found.points[-1].tolist()  # [V, S, 2]
        named = [
            Place(v, (x - half_u, y - half_v, x + half_u, y + half_v), slot)
            for v, view in enumerate(points)
            for slot, (x, y) in zip(SLOTS, view, strict=True)
        ]
        return [*grid_places(s.n_views, self.config.cells, self.config.cells), *named]

    def seen(self, batch: Batch) -> dict[str, Tensor]:
        """What there is to remember of single frames, by names of SEEN; of the context, its coarse cells."""
        found = self._look(batch)
        n, v = found.context.shape[:2]
        context = F.adaptive_avg_pool2d(found.context.flatten(0, 1), self.config.cells)
        context = context.view(n, v, *context.shape[1:])
        return {name: getattr(found._replace(context=context), name) for name in SEEN}

    def _look(self, batch: Batch) -> Grounded:
        images, state = stack_views(batch, self.shapes), batch["state"]
        sentences = [s for s in batch["instructions"] for _ in range(state.shape[1])]
        return cast(Grounded, self.backbone(images.flatten(0, 1), sentences, state.flatten(0, 1)))

    def _remembered(self, batch: Batch) -> Grounded:
        """What was seen before, and the instruction read anew."""
        times = batch["state"].shape[1]
        text, mask = self.backbone.reader(batch["instructions"])
        seen = {name: batch[f"seen.{name}"].flatten(0, 1) for name in SEEN}
        text, mask = (t.repeat_interleave(times, dim=0) for t in (text, mask))
        answers, belief = seen["positions_m"][:, :, None], seen["positions_m"][..., :1] * 0
        return Grounded(maps=seen["points"][..., :0], answers_m=answers, belief=belief, text=text, text_mask=mask, **seen)  # fmt: skip

    @property
    def frozen(self) -> bool:
        return not any(p.requires_grad for p in self.backbone.parameters())

    def auxiliary_loss(self, encoded: Encoded, batch: Batch) -> tuple[Tensor, Metrics]:
        """The grounding losses on the newest frame of every row; nothing for a frozen backbone."""
        if self.frozen:
            return encoded.tokens.new_zeros(()), {}
        assert encoded.found is not None
        times = encoded.tokens.shape[1]
        newest = Grounded(*(part[times - 1 :: times] for part in encoded.found))
        scale = self.shapes.grounding.position_scale_m
        return grounding_loss(newest, batch, self.backbone.grid, scale, self.config.grounding_weights)

    def _where(self, found: Grounded, state: Tensor) -> Tensor:
        """Positions (normalised), yaws, the ways from the hand at every scale and its turns to every symmetry:
        [N, S (5 + 3 n_ways + 2 n_turns)], no gradient."""
        g = self.shapes.grounding
        positions = (found.positions_m - found.positions_m.new_tensor(g.position_center_m)) / g.position_scale_m
        where = [positions.flatten(1), found.yaws.flatten(1)]
        if self.hand is not None:
            way = found.positions_m - self.hand.of(state)[:, None]  # [N, S, 3] metres
            where += [torch.tanh(way / near).flatten(1) for near in self.config.near_m]
        if self.heading is not None:
            turn = turns(found.yaws, self.heading.of(state), self.config.symmetries)
            where += [turn.flatten(1), torch.tanh(turn / _NEAR_RAD).flatten(1)]
        return torch.cat(where, dim=1).detach()

    def _cells(self, found: Grounded) -> Tensor:
        """Coarse cells of every view: [N, V cells^2, d]."""
        n, v = found.context.shape[:2]
        pooled = F.adaptive_avg_pool2d(found.context.flatten(0, 1), self.config.cells)
        cells = cast(Tensor, self.cells(pooled)).flatten(2).transpose(1, 2)  # [N V, cells^2, d]
        return (cells.view(n, v, *cells.shape[1:]) + self.cell_place).flatten(1, 2)

    def _points(self, found: Grounded) -> Tensor:
        """What is seen where the named things are, in every view: [N, V S, d]."""
        seen = torch.cat([found.features.float(), found.points - 0.5, found.presence[..., None]], dim=-1)
        return cast(Tensor, self.point(seen) + self.point_place).flatten(1, 2)


def turns(yaws: Tensor, heading: Tensor, symmetries: tuple[int, ...]) -> Tensor:
    """How far a hand of `heading` [N] is turned from things of `yaws` [N, S, 2] (cosine, sine of angle times symmetry), for
    every symmetry that they may have: [N, S, n], rad. A gripper is the same after half a turn."""
    angle = torch.atan2(yaws[..., 1], yaws[..., 0])
    alike = torch.stack([_within(angle / n, math.pi / 2) for n in symmetries], dim=-1)
    return _within(alike - heading[:, None, None], math.pi)


def _within(angle: Tensor, half: float) -> Tensor:
    """The same angle in [-half, half), if it repeats every 2 half."""
    return torch.remainder(angle + half, 2 * half) - half


class TowerEncoder(nn.Module):
    """One vision tower for all cameras, a text encoder beside it, and a learned position for every token of every view."""

    def __init__(self, config: EncoderConfig, shapes: PolicyShapes, dim: int, text_dim: int) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        s = shapes.grounding
        self.text = build_text(config.text)
        self.words = projection(config.text.dim, text_dim)
        self.tower = build_tower(config.kind, config.tower, (s.height, s.width), condition_dim=text_dim)
        self.into = projection(self.tower.width, dim)
        self.place = learned(s.n_views, self.tower.n_tokens, dim)
        self.n_tokens, self.grid = s.n_views * self.tower.n_tokens, self.tower.grid
        self.state_dim = s.state_dim

    def forward(self, batch: Batch) -> Encoded:
        images, state = stack_views(batch, self.shapes), batch["state"]
        b, times, v = images.shape[:3]
        words, mask = self.text(batch["instructions"])
        encoded = Encoded(images, self.words(words), mask, state, None)
        condition = encoded.sentence.repeat_interleave(times * v, dim=0)
        seen = self.into(self.tower(rearrange(images, "b t v h w c -> (b t v) h w c"), condition))
        tokens = rearrange(seen, "(b t v) n d -> b t v n d", b=b, t=times) + self.place.to(seen.dtype)
        return encoded._replace(tokens=tokens.flatten(2, 3))

    def places(self, encoded: Encoded) -> list[Place]:
        """What the N tokens of every frame cover."""
        return grid_places(self.shapes.grounding.n_views, *self.grid)

    def auxiliary_loss(self, encoded: Encoded, batch: Batch) -> tuple[Tensor, Metrics]:
        """None."""
        return encoded.tokens.new_zeros(()), {}
