"""What the loop asks of others: a model with a loss, and a source of batches."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch, Metrics


class Trainable(Protocol):
    """An nn.Module whose `compute_loss` takes a batch and returns a scalar and its parts."""

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]: ...


class Source(Protocol):
    """Batches as a pure function of the step: a resumed training sees what an uninterrupted one would have seen."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever a batch may."""
        ...

    def batch(self, step: int, size: int) -> Batch:
        """`size` rows for this step, tensors on the CPU."""
        ...

    def validation(self) -> Mapping[str, Iterable[Batch]]:
        """Held-out batches by the name under which their metrics are logged."""
        ...


class LossModule(nn.Module):
    """`compute_loss` as `forward`, which is what distributed wrappers call."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        return self.model.compute_loss(batch)  # type: ignore[no-any-return, operator]


def to_device(batch: Batch, device: torch.device) -> Batch:
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}


def rows_of(batch: Batch, start: int, stop: int) -> Batch:
    """Some rows of every tensor and list."""
    return {k: v[start:stop] if isinstance(v, Tensor | list) else v for k, v in batch.items()}


def size_of(batch: Batch) -> int:
    return next(len(v) for v in batch.values() if isinstance(v, Tensor | list))
