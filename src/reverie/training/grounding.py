"""Grounding as a task of its own, over simulated scenes, before any action is learned: "where is the thing you named?", and
simple questions (`training.questions`)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from reverie.checkpoints import Checkpoint, save
from reverie.checkpoints.backbone import load_backbone
from reverie.core import ReverieError
from reverie.nn.answers import AnswerHead
from reverie.nn.grounding import Grounded, GroundingBackbone, GroundingConfig
from reverie.nn.grounding_loss import GroundingWeights, grounding_loss
from reverie.nn.metrics import Batch, Metrics, mean_of
from reverie.policies.learned import PolicyShapes, stack_views
from reverie.training.questions import ANSWERS

BOUND_TO_CAMERAS = ("view", "place", "locate.", "into_state")
"""Weights of the backbone that belong to cameras and places, not to seeing: they do not carry over to other cameras."""


@dataclass(frozen=True)
class GroundingTask:
    backbone: GroundingConfig = field(default_factory=GroundingConfig)
    weights: GroundingWeights = field(default_factory=lambda: GroundingWeights(maps=1.0, positions=1.0, yaws=0.5))
    answers_weight: float = 0.5
    n_obs_steps: int = 1
    obs_stride: int = 1
    horizon: int = 1


class GroundingModel(nn.Module):
    """The backbone alone, with the grounding losses and a head that answers questions."""

    def __init__(self, config: GroundingTask, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        self.backbone = GroundingBackbone(config.backbone, shapes.grounding)
        self.answers = AnswerHead(config.backbone, shapes.grounding, len(ANSWERS))

    def forward(self, batch: Batch) -> tuple[Grounded, Tensor]:
        """What was found in the newest frame, and logits [B, len(ANSWERS)]."""
        found = self.backbone(stack_views(batch, self.shapes)[:, -1], batch["instructions"], batch["state"][:, -1])
        return found, self.answers(found)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: `answer` [B], a place in ANSWERS or -1 where nothing was asked, beside what the grounding needs."""
        found, logits = self(batch)
        scale = self.shapes.grounding.position_scale_m
        loss, metrics = grounding_loss(found, batch, self.backbone.grid, scale, self.config.weights)
        asked = batch["answer"] >= 0
        entropy = mean_of(F.cross_entropy(logits, batch["answer"].clamp_min(0), reduction="none"), asked)
        right = mean_of((logits.argmax(1) == batch["answer"]).float(), asked)
        return loss + self.config.answers_weight * entropy.value, metrics | {"answers": entropy, "answered": right}


def save_backbone(path: Path, config: GroundingTask, shapes: PolicyShapes, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:  # fmt: skip
    save(
        path, Checkpoint("grounding", "backbone", path.name, asdict(config), weights, shapes.to_dict(), receipt=receipt)
    )


def adopt_backbone(backbone: GroundingBackbone, path: Path) -> list[str]:
    """Begin with the weights of a pretrained backbone, whatever checkpoint it is in; returns the names that were left as
    they are, because they belong to other cameras. Anything else that does not fit is an error."""
    weights, own = load_backbone(path).weights, backbone.state_dict()
    fits = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    skipped = sorted((own.keys() | weights.keys()) - fits.keys())
    wrong = [k for k in skipped if not k.startswith(BOUND_TO_CAMERAS)]
    if wrong:
        raise ReverieError(
            f"the backbone in {path} has another configuration: {len(wrong)} weights differ, first {wrong[:4]}"
        )
    backbone.load_state_dict(own | fits)
    return skipped
