"""What a loss reports: sums with how many numbers are in them, so that means over any rows can be joined exactly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

Batch = dict[str, Any]


class Mean(NamedTuple):
    """A sum and how many numbers are in it; a metric of no numbers is not reported: absent, never 0."""

    total: Tensor
    n: Tensor

    @property
    def value(self) -> Tensor:
        return self.total / self.n.clamp_min(1)


Metrics = dict[str, Mean]


def mean_of(values: Tensor, where: Tensor) -> Mean:
    """Mean of `values` where `where` (same shape) holds."""
    where = where.to(values.dtype)
    return Mean((values * where).sum(), where.sum())


def joined(means: Sequence[Mean]) -> Mean:
    """The mean over the numbers of all of them."""
    totals, counts = zip(*means, strict=True)
    return Mean(torch.stack(totals).sum(), torch.stack(counts).sum())


def added(sums: Metrics, new: Metrics) -> Metrics:
    """The sums over both."""
    out = dict(sums)
    for name, mean in new.items():
        before = out.get(name)
        total, n = mean.total.detach().float(), mean.n.detach().float()
        out[name] = Mean(total, n) if before is None else Mean(before.total + total, before.n + n)
    return out


def values(metrics: Metrics) -> dict[str, float]:
    """Means as plain numbers, of what was measured at all."""
    return {k: float(m.total) / float(m.n) for k, m in metrics.items() if float(m.n) > 0}
