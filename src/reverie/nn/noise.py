"""Noise whose rows do not depend on each other: one generator per row, seeded by that row's integer, on the CPU."""

from collections.abc import Sequence

import torch
from torch import Tensor


class RowNoise:
    """Draws standard normal numbers, row by row; the same seed gives the same row in any batch and on any device."""

    def __init__(self, seeds: Sequence[int], device: torch.device | str = "cpu") -> None:
        self._generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        self._device = device

    def draw(self, *shape: int) -> Tensor:
        """The next [B, *shape] of this stream."""
        rows = [torch.randn(shape, generator=g, device="cpu") for g in self._generators]
        return torch.stack(rows).to(self._device)
