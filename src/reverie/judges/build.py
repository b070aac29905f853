"""A new network for the judge of frames, on a grounding backbone that was pretrained, or from nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from reverie.checkpoints import Checkpoint, load
from reverie.checkpoints.configuration import from_values
from reverie.core import ReverieError
from reverie.judges.network import FrameJudgeConfig, FrameJudgeNetwork, FrameJudgeShapes
from reverie.nn.grounding import GroundingConfig, GroundingShapes

PREFIX = "backbone."


class Backbone(NamedTuple):
    config: GroundingConfig
    shapes: GroundingShapes
    weights: dict[str, Tensor]


def load_backbone(path: Path | str) -> Backbone:
    """The grounding backbone of any checkpoint that has one: pretrained alone, or inside a policy or a judge."""
    checkpoint = load(path)
    config = _backbone_config(checkpoint)
    weights = {k.removeprefix(PREFIX): v for k, v in checkpoint.weights.items() if _is_backbone(checkpoint, k)}
    if config is None or not weights or "grounding" not in checkpoint.shapes:
        raise ReverieError(
            f"{path} ({checkpoint.kind} {checkpoint.family!r}) has no grounding backbone: give another checkpoint"
        )
    shapes = from_values(GroundingShapes, checkpoint.shapes["grounding"], path)
    return Backbone(from_values(GroundingConfig, config, path), shapes, weights)


def _is_backbone(checkpoint: Checkpoint, name: str) -> bool:
    return checkpoint.kind == "grounding" or name.startswith(PREFIX)


def _backbone_config(checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    """Pretraining calls it `backbone`, policies and judges `grounding`."""
    config = checkpoint.config.get("network", checkpoint.config)
    found = config.get("backbone" if checkpoint.kind == "grounding" else "grounding")
    return found if isinstance(found, Mapping) else None


def build_network(config: FrameJudgeConfig, cameras: tuple[str, ...], backbone: Path | str | None) -> FrameJudgeNetwork:
    """With `backbone`, its widths replace the configuration's. Errors: another number of cameras."""
    if backbone is None:
        shapes = GroundingShapes(len(cameras), *config.image_size, state_dim=0)
        return FrameJudgeNetwork(config, FrameJudgeShapes(cameras, shapes))
    found = load_backbone(backbone)
    if found.shapes.n_views != len(cameras):
        raise ReverieError(
            f"the backbone in {backbone} sees {found.shapes.n_views} views, the data has {list(cameras)}"
        )
    network = FrameJudgeNetwork(replace(config, grounding=found.config), FrameJudgeShapes(cameras, found.shapes))
    network.backbone.load_state_dict(found.weights)
    return network
