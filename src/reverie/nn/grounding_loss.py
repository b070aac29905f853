"""What the grounding backbone is taught, and how well it does: heat-maps, positions, grasp angles of the named things.

Every part is skipped for rows (and cameras) in which it is not known; what was not measured is absent, never 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.nn.grounding import SLOTS, Grounded
from reverie.nn.heatmaps import heatmap_loss
from reverie.nn.metrics import Batch, Mean, Metrics, mean_of

__all__ = ["Batch", "GroundingWeights", "Mean", "Metrics", "grounding_loss", "mean_of"]


@dataclass(frozen=True)
class GroundingWeights:
    """positions: of the answers as they are believed; alone: of what every view says by itself of what it has in sight."""

    maps: float = 0.1
    positions: float = 0.3
    yaws: float = 0.1
    alone: float = 0.1


def grounding_loss(found: Grounded, batch: Batch, grid: tuple[int, int], scale_m: float, weights: GroundingWeights) -> tuple[Tensor, Metrics]:  # fmt: skip
    """batch: slot_points [B, V, S, 2] in (0, 1), slot_inside and slot_mapped [B, V, S], slot_positions_m [B, S, 3],
    slot_known [B, S], slot_yaws [B, S, 2], slot_turned [B, S] (has a yaw), far [B]. Rows without positions: flags False."""
    known = batch["slot_known"]
    maps = heatmap_loss(
        found.maps.flatten(0, 2), batch["slot_points"].flatten(0, 2), batch["slot_inside"].flatten(), grid
    )
    map_mean = mean_of(maps, batch["slot_mapped"].flatten())
    off = (found.answers_m - batch["slot_positions_m"][:, :, None]).abs().mean(-1) / scale_m  # [B, S, K]
    position_mean = mean_of((off * found.belief.softmax(-1)).sum(-1), known)
    seen = batch["slot_inside"].transpose(1, 2) & known[..., None]  # [B, S, V]
    alone_mean = mean_of(off[..., 1:], seen) if off.shape[-1] > 1 else None
    turned = batch["slot_turned"] & known
    yaw_mean = mean_of((found.yaws - batch["slot_yaws"]).abs().mean(-1), turned)
    loss = weights.maps * map_mean.value + weights.positions * position_mean.value + weights.yaws * yaw_mean.value
    metrics = {"maps": map_mean, "positions": position_mean, "yaws": yaw_mean}
    if alone_mean is not None:
        loss, metrics["alone"] = loss + weights.alone * alone_mean.value, alone_mean
    with torch.no_grad():
        return loss, metrics | _accuracy(found, batch, turned)


def _accuracy(found: Grounded, batch: Batch, turned: Tensor) -> Metrics:
    """Errors in the units of a user: metres, degrees and pixels of a 64-pixel image, per slot and on far frames."""
    metrics: Metrics = {}
    distance = (found.positions_m - batch["slot_positions_m"]).norm(dim=-1)
    angle = torch.atan2(found.yaws[..., 1], found.yaws[..., 0]) - torch.atan2(batch["slot_yaws"][..., 1], batch["slot_yaws"][..., 0])  # fmt: skip
    degrees = torch.rad2deg(torch.atan2(angle.sin(), angle.cos()).abs())
    pixels = 64 * (found.points - batch["slot_points"]).norm(dim=-1)
    for i, slot in enumerate(SLOTS):
        far = batch["slot_known"][:, i] & batch["far"]
        metrics[f"{slot}_error_m"] = mean_of(distance[:, i], batch["slot_known"][:, i])
        metrics[f"{slot}_error_far_m"] = mean_of(distance[:, i], far)
        metrics[f"{slot}_within_2cm_far"] = mean_of((distance[:, i] < 0.02).float(), far)
        metrics[f"{slot}_error_px"] = mean_of(pixels[:, :, i], batch["slot_inside"][:, :, i])
    metrics["target_phase_far_deg"] = mean_of(degrees[:, 0], turned[:, 0] & batch["far"])
    return metrics
