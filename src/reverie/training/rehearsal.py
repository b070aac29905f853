"""Before a training starts: which precision is faster on this machine, how long it will take, what memory it needs."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reverie.nn.metrics import Batch
from reverie.training.config import Dtype, TrainerConfig
from reverie.training.source import rows_of

LossOf = Callable[[Batch], tuple[Tensor, object]]
_WORTH = 1.1  # bfloat16 costs digits: it must be this much faster


@dataclass(frozen=True)
class Estimate:
    """precision chosen, seconds for one optimiser step in each precision tried, peak memory."""

    precision: Dtype
    step_seconds: Mapping[Dtype, float]
    memory_gb: float

    def seconds_left(self, n_steps: int) -> float:
        return n_steps * self.step_seconds[self.precision]


def rehearse(loss_of: LossOf, model: nn.Module, batch: Batch, config: TrainerConfig, device: torch.device) -> Estimate:
    """Forward and backward on one batch, without an update: the weights stay as they are."""
    micro = rows_of(batch, 0, config.batch_size // config.micro_batches)
    choices: tuple[Dtype, ...] = ("float32", "bfloat16") if config.precision == "auto" else (config.precision,)
    times = {d: config.micro_batches * _time(loss_of, model, micro, d, device) for d in choices}
    precision: Dtype = choices[0]
    if config.precision == "auto" and times["bfloat16"] * _WORTH < times["float32"]:
        precision = "bfloat16"
    return Estimate(precision, times, memory_gb(model))


def _time(loss_of: LossOf, model: nn.Module, batch: Batch, dtype: Dtype, device: torch.device) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        with autocast(dtype, device):
            loss, _ = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        model.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def autocast(dtype: Dtype, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == "bfloat16")


def memory_gb(model: nn.Module) -> float:
    """Peak of this process so far, plus what the optimiser (twice the weights) and the average (once) will add."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return round((peak + 3 * weights) / 1e9, 2)
