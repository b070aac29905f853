"""Before a training starts: which precision is faster on this machine, how long it will take, what memory and disk it needs."""

import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn

from reverie.core import ReverieError
from reverie.training.config import Dtype, TrainerConfig

_WORTH = 1.1  # bfloat16 costs digits: it must be this much faster
_TRIES = 3


@dataclass(frozen=True)
class Estimate:
    """precision chosen; seconds for one optimiser step in each precision tried, data included; peak memory of this
    process; what the files of the training will take."""

    precision: Dtype
    step_seconds: Mapping[Dtype, float]
    memory_gb: float
    disk_gb: float

    def seconds_left(self, n_steps: int) -> float:
        return n_steps * self.step_seconds[self.precision]


def time_steps(step: Callable[[Dtype], Any], config: TrainerConfig, device: torch.device) -> dict[Dtype, float]:
    """Seconds of one whole step in each precision that may be used: the best of three."""
    choices: tuple[Dtype, ...] = ("float32", "bfloat16") if config.precision == "auto" else (config.precision,)
    return {dtype: min(_seconds(step, dtype, device) for _ in range(_TRIES)) for dtype in choices}


def estimated(times: Mapping[Dtype, float], config: TrainerConfig, model: nn.Module, device: torch.device) -> Estimate:
    """After `time_steps`, whose steps took all the memory that training takes, save the copies of the weights while a
    checkpoint is written (on a GPU they are elsewhere)."""
    weights = [(p.numel() * p.element_size(), p.requires_grad) for p in model.parameters()]
    size, trained = sum(n for n, _ in weights), sum(n for n, trains in weights if trains)
    copies = 0 if device.type == "cuda" else 3 * size
    return Estimate(_chosen(times), times, peak_memory_gb(device) + copies / 1e9, disk_gb(config, size, trained))


def _chosen(times: Mapping[Dtype, float]) -> Dtype:
    if len(times) == 1:
        return next(iter(times))
    return "bfloat16" if times["bfloat16"] * _WORTH < times["float32"] else "float32"


def _seconds(step: Callable[[Dtype], Any], dtype: Dtype, device: torch.device) -> float:
    start = time.perf_counter()
    step(dtype)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def autocast(dtype: Dtype, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == "bfloat16")


def peak_memory_gb(device: torch.device) -> float:
    """Of this process so far: on a GPU its own memory, else what was resident (data that were read count, though the
    system takes their pages back when it needs them)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def resident_gb() -> float:
    """Memory of this process now."""
    return float(psutil.Process().memory_info().rss) / 1e9


def disk_gb(config: TrainerConfig, model_bytes: int, trained_bytes: int) -> float:
    """The checkpoint and the numbered ones, and the state: weights, their average, two moments of the optimiser; while it
    is replaced there are two."""
    checkpoints = 1 + config.times_due(config.checkpoint_every)
    return (checkpoints * model_bytes + 2 * (model_bytes + 3 * trained_bytes)) / 1e9


def check_disk(folder: Path, needed_gb: float) -> None:
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < needed_gb:
        raise ReverieError(
            f"{folder} has {free_gb:.2f} GB free, the checkpoints and the state of this training take {needed_gb:.2f} GB: "
            "free some, write fewer checkpoints (checkpoint_every), or give another --out"
        )
