"""The losses and metrics of held-out batches, which the processes of a team share."""

from itertools import islice

import torch
from torch import Tensor

from reverie.core import seed_for
from reverie.nn.metrics import Batch, Mean, Metrics, added, values
from reverie.training.config import Dtype
from reverie.training.objective import LossModule
from reverie.training.rehearsal import autocast
from reverie.training.source import Source, size_of, to_device
from reverie.training.team import Team


@torch.no_grad()
def validate(module: LossModule, source: Source, team: Team, precision: Dtype, seed: int) -> dict[str, float]:
    """`<set of rows>/<metric>`: means over each set; batch i of a set draws from (seed, i), whoever takes it. A process
    without a batch of its own computes along: sharded weights are gathered by all or by none."""
    module.eval()
    found: dict[str, float] = {}
    for name, batches in source.validation().items():
        sums: Metrics = {}
        numbered = enumerate(batches)
        while group := list(islice(numbered, team.size)):
            mine = team.rank < len(group)
            i, batch = group[team.rank if mine else 0]
            torch.manual_seed(seed_for("validation", seed, i))
            metrics = _measured(module, to_device(batch, team.device), precision)
            sums = added(sums, metrics if mine else {k: Mean(m.n * 0, m.n * 0) for k, m in metrics.items()})
        found |= {f"{name}/{k}": round(v, 5) for k, v in values(team.totals(sums)).items()}
    return found


def _measured(module: LossModule, batch: Batch, precision: Dtype) -> Metrics:
    with autocast(precision, next(v for v in batch.values() if isinstance(v, Tensor)).device):
        loss, metrics = module(batch)
    rows = loss.new_tensor(float(size_of(batch)))
    return metrics | {"loss": Mean(loss * rows, rows)}  # type: ignore[no-any-return]
