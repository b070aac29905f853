"""A visual backbone grounded in language: where, in every camera and on the table, is the thing that was named?

One network per camera with shared weights, modulated by the instruction from its first layer on (a colour filter per
pixel), with one supervised heat-map per named thing and camera, and features read at the heat-map. A 5-pixel object is
learned from the dense map; regression alone hardly finds it. Neither calibration nor a fixed number,
size or name of cameras is needed: cameras are told apart by a learned embedding.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from reverie.nn.blocks import MLP, Transformer, learned
from reverie.nn.convolution import FilmedConv
from reverie.nn.glimpse import Glimpse
from reverie.nn.heatmaps import cell_centers, expected_point
from reverie.nn.text import build_text
from reverie.nn.text_config import TextConfig
from reverie.nn.votes import Votes, elected

SLOTS = ("target", "reference")
"""What an instruction names: the thing to move, and where it goes."""


@dataclass(frozen=True)
class GroundingConfig:
    """Widths of the backbone. `n_colors` filters per slot look at single pixels; a patch is one cell of the heat-map.
    `glimpse`: side, in pixels, of the crop that is looked at again where the map points (0: none). `sharpness`: logits of
    a map times this are what points and features are read with: 1 takes the mean of two candidates, more decides.
    `votes`: width of what lets every view answer on its own where a thing is (`nn.votes`; 0: one answer from all views)."""

    text: TextConfig = field(default_factory=TextConfig)
    text_width: int = 128
    text_depth: int = 2
    n_colors: int = 4
    patch: int = 4
    width: int = 64
    deep_width: int = 96
    point_width: int = 32
    hidden: int = 256
    glimpse: int = 16
    sharpness: float = 2.0
    votes: int = 64

    @property
    def feature_width(self) -> int:
        """How many numbers `Grounded.features` has for a point."""
        return self.point_width * (2 if self.glimpse else 1)


@dataclass(frozen=True)
class HandReading:
    """How to read the hand's position off the state that a network gets: three numbers from `start`, times scale, plus
    offset, are x, y, z in metres."""

    start: int
    offset_m: tuple[float, float, float]
    scale_m: tuple[float, float, float]

    def of(self, state: Tensor) -> Tensor:
        """state [B, state_dim] -> [B, 3]"""
        return state[:, self.start : self.start + 3] * state.new_tensor(self.scale_m) + state.new_tensor(self.offset_m)


@dataclass(frozen=True)
class HeadingReading:
    """How to read which way the hand is turned off the state that a network gets: four numbers from `start`, times scale,
    plus offset, are its quaternion wxyz."""

    start: int
    offset: tuple[float, float, float, float]
    scale: tuple[float, float, float, float]

    def of(self, state: Tensor) -> Tensor:
        """state [B, state_dim] -> angle of the hand's x axis about the vertical [B], rad. q and -q are the same turn."""
        q = state[:, self.start : self.start + 4] * state.new_tensor(self.scale) + state.new_tensor(self.offset)
        w, x, y, z = q.unbind(-1)
        return torch.atan2(2 * (x * y + w * z), w * w + x * x - y * y - z * z)


@dataclass(frozen=True)
class GroundingShapes:
    """What the data decides: views (cameras times observed frames), image size, numbers of state, where positions lie, and
    where the hand is and how it is turned (None where the state does not say)."""

    n_views: int
    height: int
    width: int
    state_dim: int
    position_center_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    position_scale_m: float = 1.0
    hand: HandReading | None = None
    heading: HeadingReading | None = None


class Grounded(NamedTuple):
    """maps [B, V, S, h w + 1] logits, points [B, V, S, 2] in (0, 1), presence [B, V, S], features at the maps
    [B, V, S, feature_width], positions_m [B, S, 3], yaws [B, S, 2] (cosine, sine of the angle times its symmetry),
    answers_m [B, S, K, 3] from all views and from each, with logits belief [B, S, K] (K = 1 without votes),
    context [B, V, deep_width, h/2, w/2], text [B, L + S, text_width] with mask [B, L + S]."""

    maps: Tensor
    points: Tensor
    presence: Tensor
    features: Tensor
    positions_m: Tensor
    yaws: Tensor
    answers_m: Tensor
    belief: Tensor
    context: Tensor
    text: Tensor
    text_mask: Tensor


class InstructionReader(nn.Module):
    """Instruction tokens and one query per slot through a small transformer: what is the thing to find?"""

    def __init__(self, config: GroundingConfig) -> None:
        super().__init__()
        self.encoder = build_text(config.text)
        self.into = nn.Linear(config.text.dim, config.text_width)
        self.order = learned(config.text.max_tokens, config.text_width)
        self.slots = learned(len(SLOTS), config.text_width, std=0.5)
        self.trunk = Transformer(config.text_width, config.text_depth, n_heads=4, mlp_ratio=2)

    def forward(self, instructions: list[str]) -> tuple[Tensor, Tensor]:
        """B strings -> [B, S + L, d], the slots first, and the mask."""
        tokens, mask = self.encoder(instructions)
        tokens = self.into(tokens) + self.order[: tokens.shape[1]]
        slots = repeat(self.slots, "s d -> b s d", b=len(tokens))
        mask = torch.cat([mask.new_ones(slots.shape[:2]), mask], dim=1)
        return self.trunk(torch.cat([slots, tokens], dim=1), mask), mask


class ColorFilter(nn.Module):
    """Per pixel, `n_colors` half spaces of RGB chosen by the instruction: relu(rgb A + b)."""

    def __init__(self, condition_dim: int, n_colors: int) -> None:
        super().__init__()
        self.to_filter = nn.Linear(condition_dim, n_colors * 4)
        self.n_colors = n_colors

    def forward(self, pixels: Tensor, condition: Tensor) -> Tensor:
        """pixels [B, N, 3], condition [B, d] -> [B, N, n_colors]"""
        filters = self.to_filter(condition).view(-1, 4, self.n_colors)  # [B, 3 + 1, n_colors]
        return F.relu(torch.baddbmm(filters[:, 3:], pixels, filters[:, :3]))


class GroundingBackbone(nn.Module):
    def __init__(self, config: GroundingConfig, shapes: GroundingShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        if shapes.height % (2 * config.patch) or shapes.width % (2 * config.patch):
            raise ValueError(
                f"images of {shapes.height}x{shapes.width} are not a multiple of {2 * config.patch} pixels"
            )
        c, s = config, len(SLOTS)
        self.grid = (shapes.height // c.patch, shapes.width // c.patch)
        condition = s * c.text_width
        self.reader = InstructionReader(c)
        self.view = learned(shapes.n_views, condition)
        self.colors = ColorFilter(condition, s * c.n_colors)
        self.embed = nn.Linear((3 + s * c.n_colors) * c.patch**2, c.width)
        self.place = learned(*self.grid, c.width)
        self.fine = FilmedConv(c.width, c.width, condition)
        self.down = FilmedConv(c.width, c.deep_width, condition, stride=2)
        self.deep = FilmedConv(c.deep_width, c.deep_width, condition, residual=True)
        self.up = nn.Conv2d(c.deep_width, c.width, 1)
        self.merge = FilmedConv(c.width, c.width, condition, residual=True)
        self.key = nn.Conv2d(c.width, c.width, 1)
        self.query = nn.Linear(c.text_width, c.width + 1)
        self.absent = nn.Linear(c.deep_width, s)
        self.read = nn.Linear(c.width, c.point_width)
        self.glimpse = Glimpse(c.glimpse, c.text_width, c.point_width) if c.glimpse else None
        self.locate = MLP(shapes.n_views * s * (c.feature_width + 3) + shapes.state_dim, c.hidden, s * 5)
        said = c.feature_width + 4
        self.votes = Votes(shapes.n_views, s, said, shapes.state_dim, c.votes) if c.votes else None
        self.register_buffer("centers", cell_centers(*self.grid), persistent=False)

    def forward(self, images: Tensor, instructions: list[str], state: Tensor) -> Grounded:
        """images [B, V, H, W, 3] in (-1, 1); state [B, state_dim]."""
        b, v = images.shape[:2]
        text, mask = self.reader(instructions)
        slots = text[:, : len(SLOTS)]  # [B, S, d]
        condition = slots.flatten(1)  # [B, S d]
        per_view = (condition[:, None] + self.view).flatten(0, 1)  # [B V, S d]
        fine, deep = self._see(images, condition, per_view)
        maps = self._maps(fine, deep, slots).view(b, v, len(SLOTS), -1)
        weights = (self.config.sharpness * maps.float()).softmax(-1)
        points, presence = expected_point(weights, self.centers)  # type: ignore[arg-type]
        local = torch.einsum(
            "bvsn,bvcn->bvsc", weights[..., :-1].to(fine.dtype), fine.flatten(2).view(b, v, -1, fine[0, 0].numel())
        )
        features = self.read(local)
        if self.glimpse is not None:
            features = torch.cat([features, self._look_again(images, points, slots)], dim=-1)
        said = torch.cat([features.float(), points - 0.5, presence[..., None]], dim=-1)
        found = self.locate(torch.cat([said.flatten(1), state], dim=-1)).view(b, len(SLOTS), 5).float()
        answers, belief = found[:, :, None, :3], found.new_zeros(b, len(SLOTS), 1)
        if self.votes is not None:
            certain = weights[..., :-1].amax(-1, keepdim=True)  # [B, V, S, 1]
            answers, belief = self.votes(torch.cat([said, certain], dim=-1), state, found[..., :3])
        answers = found.new_tensor(self.shapes.position_center_m) + self.shapes.position_scale_m * answers
        positions = elected(answers, belief, self.shapes.position_scale_m)
        context = deep.view(b, v, *deep.shape[1:])
        return Grounded(maps, points, presence, features, positions, found[..., 3:], answers, belief, context, text, mask)  # fmt: skip

    def _see(self, images: Tensor, condition: Tensor, per_view: Tensor) -> tuple[Tensor, Tensor]:
        """-> features of fine cells [B V, width, h, w] and of deep ones [B V, deep_width, h/2, w/2]."""
        b, v, height, width = images.shape[:4]
        colors = self.colors(images.reshape(b, -1, 3), condition)
        pixels = torch.cat([images.reshape(b, -1, 3).to(colors.dtype), colors], dim=-1)
        patches = rearrange(pixels.view(b, v, height, width, -1), "b v (h p) (w q) c -> (b v) h w (p q c)", p=self.config.patch, q=self.config.patch)  # fmt: skip
        x = self.embed(patches)
        x = F.relu(x + self.place.to(x.dtype)).permute(0, 3, 1, 2)  # [B V, width, h, w], channels last in memory
        fine = self.fine(x, per_view)
        deep = self.deep(self.down(fine, per_view), per_view)
        lifted = F.interpolate(self.up(deep), scale_factor=2.0, mode="nearest")
        return self.merge(fine + lifted, per_view), deep

    def _look_again(self, images: Tensor, points: Tensor, slots: Tensor) -> Tensor:
        """Features [B, V, S, point_width] of the crops where the maps point."""
        assert self.glimpse is not None
        b, v = images.shape[:2]
        asked = slots.repeat_interleave(v, dim=0)  # [B V, S, d]
        seen: Tensor = self.glimpse(images.flatten(0, 1), points.flatten(0, 1), asked)
        return seen.view(b, v, len(SLOTS), -1)

    def _maps(self, fine: Tensor, deep: Tensor, slots: Tensor) -> Tensor:
        """Logits [B V, S, h w + 1]: how well a cell matches what the slot asks for, and of "not in this image"."""
        views = fine.shape[0] // slots.shape[0]
        query = self.query(slots).repeat_interleave(views, dim=0)  # [B V, S, width + 1]
        cells = torch.bmm(query[..., :-1], self.key(fine).flatten(2)) / self.config.width**0.5  # [B V, S, h w]
        absent = self.absent(deep.amax((2, 3))) + query[..., -1]
        return torch.cat([cells, absent[..., None]], dim=-1)
