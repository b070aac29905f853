"""From heat-maps to places, and from places to a close look: differentiable in the pixels, not in the places."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
    n, v, height, width, channels = images.shape
    n_slots = points.shape[2]
    steps = torch.arange(size_px, device=images.device) - (size_px - 1) / 2
    offset = torch.stack(torch.meshgrid(2 * steps / width, 2 * steps / height, indexing="xy"), dim=-1)  # [s, s, 2]
    where = 2 * points.flatten(0, 1)[:, :, None, None] - 1 + offset  # [N V, S, s, s, 2]
    pixels = images.flatten(0, 1).permute(0, 3, 1, 2)
    cut = F.grid_sample(pixels, where.flatten(1, 2).to(pixels.dtype), align_corners=False)  # [N V, C, S s, s]
    return cut.view(n * v, channels, n_slots, size_px, size_px).transpose(1, 2).reshape(-1, channels, size_px, size_px)
