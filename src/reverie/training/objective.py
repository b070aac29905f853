"""The gradient of a whole batch's loss from its pieces: micro batches of one process, shares of several.

A mean over what is valid is not the mean of its pieces' means, because a piece may hold fewer valid numbers. So means are
taken apart: L = rest + sum_j slope_j total_j with slope_j = dL/dtotal_j, where total_j is a sum that the model reports as
a `Mean` and divides by its own count. The piece's part of the whole batch's loss is then

    share of the rows * rest + sum_j slope_j total_j (count_j in the piece) / (count_j in the whole batch)

whose sum over the pieces is the loss of the whole batch exactly, for every loss that is a weighted sum of reported means
and of plain means over rows. Counts are exchanged before the backward pass: between processes after the forward pass,
between micro batches by one more forward pass without gradient (a third of a step's time, the price of exactness).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch, Mean, Metrics, added
from reverie.training.config import Dtype
from reverie.training.rehearsal import autocast
from reverie.training.source import rows_of, size_of
from reverie.training.team import Team


class Parts(NamedTuple):
    """rest: what of the loss is no reported mean. terms: slope * total by name. metrics: as the model reports them."""

    rest: Tensor
    terms: dict[str, Tensor]
    metrics: Metrics


class LossModule(nn.Module):
    """`compute_loss` as `forward`, which is what distributed wrappers call: (loss, metrics), or `Parts` where they are
    asked for."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, in_parts: bool = False) -> tuple[Tensor, Metrics] | Parts:
        loss, metrics = self.model.compute_loss(batch)  # type: ignore[operator]
        return _taken_apart(loss, metrics) if in_parts else (loss, metrics)


def _taken_apart(loss: Tensor, metrics: Metrics) -> Parts:
    totals = {k: m.total for k, m in metrics.items() if m.total.requires_grad}
    found = torch.autograd.grad(loss, list(totals.values()), retain_graph=True, allow_unused=True) if totals else ()
    slopes = {k: s for k, s in zip(totals, found, strict=True) if s is not None}
    terms = {k: s * totals[k] for k, s in slopes.items()}
    rest = loss - torch.stack(list(terms.values())).sum() if terms else loss
    return Parts(rest, terms, {k: Mean(m.total.detach(), m.n) for k, m in metrics.items()})


def of_the_whole(parts: Parts, counts: Mapping[str, Tensor], share: float) -> Tensor:
    """A piece's part of the whole batch's loss: `counts` are those of the whole batch, `share` the piece's of the rows."""
    loss = share * parts.rest
    for name, term in parts.terms.items():
        mine = parts.metrics[name].n.to(term)
        loss = loss + term * mine.clamp_min(1) / counts[name].to(term).clamp_min(1)
    return loss


@dataclass
class Objective:
    """`wrapped` is `module` as the team calls it in training."""

    module: LossModule
    wrapped: nn.Module
    team: Team
    micro_batches: int

    def backward(self, batch: Batch, precision: Dtype, seed: Callable[[int], int]) -> Metrics:
        """Add the gradient of the whole batch's loss, of which `batch` is this process's share, to the weights. Piece p
        of all pieces draws from seed(p). Returns the whole batch's metrics, with its `loss` per row."""
        if self.team.size * self.micro_batches == 1:
            return self._at_once(batch, precision, seed)
        size = size_of(batch) // self.micro_batches
        pieces = [rows_of(batch, i * size, (i + 1) * size) for i in range(self.micro_batches)]
        seeds = [seed(self.team.rank * self.micro_batches + i) for i in range(self.micro_batches)]
        counts = self._counted(pieces, seeds, precision) if self.micro_batches > 1 else None
        share = 1 / (self.team.size * self.micro_batches)
        total: Metrics = {}
        for i, (piece, own_seed) in enumerate(zip(pieces, seeds, strict=True)):
            with self.team.joining(self.wrapped, i == self.micro_batches - 1):
                torch.manual_seed(own_seed)
                with autocast(precision, self.team.device):
                    parts = self.wrapped(piece, in_parts=True)
                counts = counts or _counts(self.team.totals(parts.metrics))
                loss = of_the_whole(parts, counts, share)
                self.team.accelerator.backward(loss * self.team.size)  # gradients are averaged over processes
            rows = loss.new_tensor(float(size))
            total = added(total, parts.metrics | {"loss": Mean(loss.detach() * rows / share, rows)})
        return self.team.totals(total)

    def _at_once(self, batch: Batch, precision: Dtype, seed: Callable[[int], int]) -> Metrics:
        torch.manual_seed(seed(0))
        with autocast(precision, self.team.device):
            loss, metrics = self.wrapped(batch)
        self.team.accelerator.backward(loss)
        rows = loss.new_tensor(float(size_of(batch)))
        return added({}, metrics | {"loss": Mean(loss.detach() * rows, rows)})

    @torch.no_grad()
    def _counted(self, pieces: list[Batch], seeds: list[int], precision: Dtype) -> dict[str, Tensor]:
        """The counts of the whole batch, by a forward pass over all pieces."""
        total: Metrics = {}
        for piece, own_seed in zip(pieces, seeds, strict=True):
            torch.manual_seed(own_seed)
            with autocast(precision, self.team.device):
                total = added(total, self.module(piece)[1])
        return _counts(self.team.totals(total))


def _counts(metrics: Metrics) -> dict[str, Tensor]:
    return {k: m.n for k, m in metrics.items()}
