"""A new network for the judge of frames, on a grounding backbone that was pretrained, or from nothing."""

from dataclasses import replace
from pathlib import Path

from reverie.checkpoints.backbone import load_backbone
from reverie.core import ReverieError
from reverie.judges.network import FrameJudgeConfig, FrameJudgeNetwork, FrameJudgeShapes
from reverie.nn.grounding import GroundingShapes


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
