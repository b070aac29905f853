"""From heat-maps to places, and from places to a close look: differentiable in the pixels, not in the places."""

import torch
from torch import Tensor

from reverie.nn.glimpse import crops


def peak_points(maps: Tensor, centers: Tensor, grid: tuple[int, int], radius: float = 2.0) -> Tensor:
    """Logits [..., h w + 1] -> (u, v) [..., 2]: the mean over the cells within `radius` cells of the best one. A mean over
    the whole map would lie between two things that look alike."""
    weights = maps[..., :-1].float().softmax(-1)  # [..., h w]
    peak = centers[weights.argmax(-1)]  # [..., 2]
    size = torch.tensor(grid[::-1], device=maps.device)
    near = ((centers - peak[..., None, :]).abs() * size).amax(-1) <= radius  # [..., h w]
    weights = weights * near
    return (weights @ centers) / weights.sum(-1, keepdim=True).clamp_min(1e-8)


def windows(images: Tensor, points: Tensor, size_px: int) -> Tensor:
    """Square cut-outs of [N, V, H, W, C] around points [N, V, S, 2] in (0, 1) -> [N V S, C, size, size]; zero outside."""
    return crops(images.flatten(0, 1), points.flatten(0, 1), size_px).flatten(0, 1)
