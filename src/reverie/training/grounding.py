"""Grounding as a task of its own: "where is the thing you named?", over simulated scenes, before any action is learned."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from reverie.checkpoints import Checkpoint, load, save
from reverie.core import ReverieError
from reverie.nn.grounding import GroundingBackbone, GroundingConfig
from reverie.nn.grounding_loss import GroundingWeights, grounding_loss
from reverie.nn.metrics import Batch, Metrics
from reverie.policies.learned import PolicyShapes, stack_views

BOUND_TO_CAMERAS = ("view", "place", "locate.", "into_state")
"""Weights of the backbone that belong to cameras and places, not to seeing: they do not carry over to other cameras."""


@dataclass(frozen=True)
class GroundingTask:
    backbone: GroundingConfig = field(default_factory=GroundingConfig)
    weights: GroundingWeights = field(default_factory=lambda: GroundingWeights(maps=1.0, positions=1.0, yaws=0.5))
    n_obs_steps: int = 1
    obs_stride: int = 1
    horizon: int = 1


class GroundingModel(nn.Module):
    """The backbone alone, with the grounding losses."""

    def __init__(self, config: GroundingTask, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        self.backbone = GroundingBackbone(config.backbone, shapes.grounding)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        found = self.backbone(stack_views(batch, self.shapes), batch["instructions"], batch["state"].flatten(1))
        scale = self.shapes.grounding.position_scale_m
        return grounding_loss(found, batch, self.backbone.grid, scale, self.config.weights)


def save_backbone(path: Path, config: GroundingTask, shapes: PolicyShapes, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:  # fmt: skip
    own = {k.removeprefix("backbone."): v for k, v in weights.items()}
    save(path, Checkpoint("grounding", "backbone", path.name, asdict(config), own, shapes.to_dict(), receipt=receipt))


def adopt_backbone(backbone: GroundingBackbone, path: Path) -> list[str]:
    """Begin with a pretrained backbone's weights; returns the names that were left as they are, because they belong to
    other cameras. Anything else that does not fit is an error."""
    weights = load(path).expect("grounding", path).weights
    own = backbone.state_dict()
    fits = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    skipped = sorted((own.keys() | weights.keys()) - fits.keys())
    wrong = [k for k in skipped if not k.startswith(BOUND_TO_CAMERAS)]
    if wrong:
        raise ReverieError(
            f"the backbone in {path} has another configuration: {len(wrong)} weights differ, first {wrong[:4]}"
        )
    backbone.load_state_dict(own | fits)
    return skipped
