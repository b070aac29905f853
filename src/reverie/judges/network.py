"""The network that looks at frames: is what was asked for accomplished now, and how far is it?

Per frame it sees every camera, the episode's first frame and the instruction; never the robot's state. A backbone grounded
in language says where the two named things are, in every image and on the table, now and at the start; that, and a close
look at the pixels around both, now and before, decide.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from reverie.judges.bags import BagWeights, bag_loss, progress_loss
from reverie.judges.corruption import Corruption, corrupt
from reverie.judges.looking import peak_points, windows
from reverie.nn.blocks import MLP
from reverie.nn.grounding import SLOTS, GroundingBackbone, GroundingConfig, GroundingShapes
from reverie.nn.grounding_loss import Batch, Metrics, mean_of

NEAR_M = 0.1
"""What counts as near on a table: distances are given to the head in this unit."""


@dataclass(frozen=True)
class FrameJudgeConfig:
    """image_size: (height, width) that cameras are resized to; a pretrained backbone brings its own. window_px: side of
    the close look in pixels of the image. freeze: the backbone keeps its weights in training."""

    grounding: GroundingConfig = field(default_factory=GroundingConfig)
    image_size: tuple[int, int] = (64, 64)
    window_px: int = 24
    look_width: int = 32
    hidden: int = 256
    dropout: float = 0.3
    freeze: bool = True
    weights: BagWeights = field(default_factory=BagWeights)
    corruption: Corruption = field(default_factory=Corruption)


@dataclass(frozen=True)
class FrameJudgeShapes:
    """Cameras in order, and what the backbone was built for (its state is fed zeros: a judge sees none)."""

    cameras: tuple[str, ...]
    grounding: GroundingShapes


class Found(NamedTuple):
    """points [N, V, S, 2], presence [N, V, S], positions [N, S, 3] in units of `NEAR_M`, text [N, 2 text_width]."""

    points: Tensor
    presence: Tensor
    positions: Tensor
    text: Tensor

    def at_start(self, n_frames: int) -> "Found":
        """Rows are `n_frames` frames of one episode after another: each gets what its first frame has."""
        return Found(*(v[::n_frames].repeat_interleave(n_frames, dim=0) for v in self))


class FrameJudgeNetwork(nn.Module):
    """`forward` gives a success logit and progress per frame; `compute_loss` learns from labels of whole episodes."""

    def __init__(self, config: FrameJudgeConfig, shapes: FrameJudgeShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        g, n_slots, n_views = config.grounding, len(SLOTS), len(shapes.cameras)
        self.backbone = GroundingBackbone(g, shapes.grounding).requires_grad_(not config.freeze)
        self.look = CloseLook(config.look_width)
        self.drop = nn.Dropout(config.dropout)
        self.text = nn.Linear(2 * g.text_width, config.look_width)
        n_geometry = n_views * (n_slots * 6 + 2) + 3 * (3 * n_slots + 1)
        n_seen = (n_views * n_slots + 1) * config.look_width
        self.head = nn.Sequential(
            MLP(n_geometry + n_seen, config.hidden, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, 2),
        )

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """images.<camera> [B, T, H, W, 3] in (-1, 1), the episode's first frame first; B instructions -> logits and
        progress in (0, 1), [B, T] each."""
        images = torch.stack([batch[f"images.{c}"] for c in self.shapes.cameras], dim=2)  # [B, T, V, H, W, 3]
        b, t = images.shape[:2]
        instructions = [s for s in batch["instructions"] for _ in range(t)]
        now = self._find(images.flatten(0, 1), instructions)
        before = images[:, :1].expand_as(images).flatten(0, 1)
        out = self.head(self._describe(images.flatten(0, 1), before, now, now.at_start(t))).view(b, t, 2).float()
        return out[..., 0], out[..., 1].sigmoid()

    def _find(self, images: Tensor, instructions: list[str]) -> Found:
        """Where the named things are in N frames [N, V, H, W, 3], and what is there."""
        state = images.new_zeros(len(images), self.shapes.grounding.state_dim)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.freeze):
            found = self.backbone(images, instructions, state)
            mask = found.text_mask[..., None]
            text = torch.cat([(found.text * mask).sum(1) / mask.sum(1), found.text[:, 0]], dim=-1)
            points = peak_points(found.maps, self.backbone.centers, self.backbone.grid).detach()  # type: ignore[arg-type]
            center = found.positions_m.new_tensor(self.shapes.grounding.position_center_m)
            positions = ((found.positions_m - center) / NEAR_M).detach()
        return Found(points, found.presence, positions.float(), text.float())

    def _describe(self, images: Tensor, before: Tensor, now: Found, first: Found) -> Tensor:
        """Everything the head sees of N frames, [N, D]: where things are, which few numbers say, and how that looks, which
        is learned by heart before it is understood: it is what drops out."""
        pixels = torch.cat([images, before], dim=-1)  # [N, V, H, W, 6]
        close = self.look(windows(pixels, now.points, self.config.window_px))  # [N V S, d]
        geometry = [
            now.points - 0.5,
            now.points - first.points,
            now.points[:, :, 0] - now.points[:, :, 1],
            now.presence,
            first.presence,
            now.positions,
            first.positions,
            now.positions - first.positions,
            now.positions[:, 0] - now.positions[:, 1],
        ]
        looks = torch.cat([close.view(len(images), -1), F.relu(self.text(now.text))], dim=-1)
        return torch.cat([*(g.flatten(1) for g in geometry), self.drop(looks)], dim=-1)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: label [B] 0 or 1, share [B, T] of the episode's time; frames in order of time, the first one first."""
        if self.training:
            batch = corrupt(batch, self.config.corruption)
        logits, progress = self(batch)
        label = batch["label"]
        success = bag_loss(logits, label, self.config.weights)
        ramp = progress_loss(progress, logits, label, batch["share"])
        called = (logits[:, 1:].amax(1) > 0) == (label > 0.5)
        metrics = {"bag_accuracy": mean_of(called.float(), torch.ones_like(label))}
        for name in ("swapped", "generated"):
            metrics[f"bag_accuracy_{name}"] = mean_of(called.float(), batch[name])
        metrics["progress_l1"] = mean_of(ramp[None], torch.ones_like(ramp[None]))
        return success + self.config.weights.progress * ramp, metrics


class CloseLook(nn.Module):
    """[N, 6, s, s] pixels now and before -> [N, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(6, width // 2, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(width // 2, width, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(width, width, 3, 2, 1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(3),
        )  # fmt: skip
        self.out = nn.Linear(9 * width, width)

    def forward(self, pixels: Tensor) -> Tensor:
        return F.relu(self.out(rearrange(self.convolutions(pixels), "n c h w -> n (c h w)")))
