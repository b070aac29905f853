"""Heat-maps over a grid of cells: where, as a distribution that can be supervised by a point and read as a point.

Image coordinates are (u, v) in [0, 1] x [0, 1], the centre of the upper left cell at (0.5 / w, 0.5 / h). A map has one
cell more than the grid, the last one for "not in this image".
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def cell_centers(height: int, width: int) -> Tensor:
    """[h w, 2] (u, v) of every cell, row after row."""
    v, u = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    return torch.stack([u, v], dim=-1).view(-1, 2)


def expected_point(probabilities: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """[..., h w + 1] -> the mean point [..., 2] given that it is in the image, and the probability [...] that it is."""
    inside = probabilities[..., :-1]
    presence = inside.sum(-1)
    return inside @ centers / presence.clamp_min(1e-4)[..., None], presence


def splat(points: Tensor, inside: Tensor, height: int, width: int) -> Tensor:
    """Points [N, 2] and flags [N] -> target distributions [N, h w + 1] with the mean at the point: its weight is shared by
    the four nearest cells (bilinear), at borders by fewer; a point outside puts all of it on the last cell."""
    cells = points * torch.tensor([width, height], device=points.device) - 0.5
    low = cells.floor()
    target = points.new_zeros(len(points), height * width + 1)
    for du in (0, 1):
        for dv in (0, 1):
            corner = low + torch.tensor([du, dv], device=points.device)
            weight = (1 - (cells - corner).abs()).clamp_min(0).prod(-1) * inside
            u, v = corner[:, 0].clamp(0, width - 1).long(), corner[:, 1].clamp(0, height - 1).long()
            target.scatter_add_(1, (v * width + u)[:, None], weight[:, None])
    target[:, -1] = 1 - target[:, :-1].sum(-1)
    return target


def heatmap_loss(logits: Tensor, points: Tensor, inside: Tensor, grid: tuple[int, int]) -> Tensor:
    """Cross-entropy [N] between maps [N, h w + 1] and points [N, 2] with flags [N]."""
    target = splat(points, inside.to(points.dtype), *grid)
    return -(target * F.log_softmax(logits.float(), dim=-1)).sum(-1)
