"""What the loop asks of others: a model with a loss, and a source of batches."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from reverie.nn.metrics import Batch, Metrics

WHOLE = slice(None)


class Trainable(Protocol):
    """An nn.Module whose `compute_loss` takes a batch and returns a scalar and its parts.

    Every mean over what is valid is among the parts as the very `Mean` whose value is in the loss, under the same name
    for every batch, and the loss is a weighted sum of those and of plain means over rows. Then a batch may be cut into
    pieces, in time or over processes, without a change of its gradient (`objective`)."""

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]: ...


class Source(Protocol):
    """Batches as a pure function of the step: a resumed training sees what an uninterrupted one would have seen."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever a batch may."""
        ...

    def batch(self, step: int, size: int, rows: slice = WHOLE) -> Batch:
        """Of the `size` rows of this step those in `rows`, which one process takes; tensors on the CPU."""
        ...

    def validation(self) -> Mapping[str, Iterable[Batch]]:
        """Held-out batches by the name under which their metrics are logged."""
        ...


def to_device(batch: Batch, device: torch.device) -> Batch:
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}


def rows_of(batch: Batch, start: int, stop: int) -> Batch:
    """Some rows of every tensor and list."""
    return {k: v[start:stop] if isinstance(v, Tensor | list) else v for k, v in batch.items()}


def size_of(batch: Batch) -> int:
    return next(len(v) for v in batch.values() if isinstance(v, Tensor | list))
