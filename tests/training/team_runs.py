"""Trainings that tests start in several processes, and compare with one: importable, as processes are spawned."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.nn.metrics import Batch, Mean, Metrics, mean_of
from reverie.training.adapters import Lora, adapt
from reverie.training.config import TrainerConfig
from reverie.training.freezing import freeze
from reverie.training.journal import FILE as METRICS
from reverie.training.team import Team
from reverie.training.trainer import Trainer

WEIGHTS = "weights.safetensors"
CONFIG = TrainerConfig(
    samples=96, batch_size=8, learning_rate=0.01, warmup_samples=16, precision="float32", ema=0.8, clip=0.05,
    state_every=32, validate_every=48, log_every=8, tensorboard=False,
)  # fmt: skip


class Masked(nn.Module):
    """Three kinds of loss: two means over what is valid, differently in every row, and a plain mean over rows."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.into, self.layers = nn.Linear(4, 8), nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.drop, self.out = nn.Dropout(dropout), nn.Linear(8, 3)
        self.unused = nn.Linear(3, 3)  # as in many a pretrained network

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.into(x))
        for layer in self.layers:
            x = x + torch.tanh(layer(self.drop(x)))
        return self.out(x)  # type: ignore[no-any-return]

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        found, valid = self(batch["x"]), batch["valid"]
        l1 = mean_of((found - batch["y"]).abs(), valid[:, None].expand_as(found))
        rare = mean_of(F.softplus(found[:, 0]), valid & batch["rare"])
        loss = l1.value + 0.3 * rare.value + 0.1 * found.square().mean()
        return loss, {"l1": l1, "rare": rare, "size": Mean(found.detach().abs().sum(), torch.tensor(found.numel()))}


@dataclass
class Rows:
    """Rows of which more are valid in the first half of a batch than in the second; `stop_at` a step it is interrupted."""

    stop_at: int = -1
    fingerprint = "rows"

    def batch(self, step: int, size: int, rows: slice = slice(None)) -> Batch:
        if step == self.stop_at:
            raise KeyboardInterrupt
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(size, 4, generator=generator)
        often = torch.linspace(0.9, 0.1, size)
        batch = {
            "x": x,
            "y": x[:, :3].sin() + x[:, 1:].cos(),
            "valid": torch.rand(size, generator=generator) < often,
            "rare": torch.rand(size, generator=generator) < 0.3,
        }
        return {k: v[rows] for k, v in batch.items()}

    def validation(self) -> Mapping[str, list[Batch]]:
        return {"held_out": [self.batch(1000 + i, 6) for i in range(3)], "empty": []}


def run(out: Path, *, stop_at: int = -1, dropout: float = 0.0, rank: int = 0, **changes: object) -> dict[str, float]:
    """rank: of adapters, beside which only the last layer trains."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Masked(dropout)
    if rank:
        freeze(model, ("into", "layers", "unused"))
        adapt(model, Lora(rank, targets=("layers.*",)))
    return Trainer(model, Rows(stop_at), replace(CONFIG, **changes), out, _write, quiet=True).run()  # type: ignore[arg-type]


def _write(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(weights), folder / WEIGHTS)


def stopped(out: Path, **settings: object) -> None:
    """On the way, some steps after the last saved state."""
    try:
        run(out, stop_at=7, **settings)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        return


def interrupted(out: Path, **settings: object) -> None:
    """Stopped, then gone on with."""
    stopped(out, **settings)
    run(out, **settings)  # type: ignore[arg-type]


def in_a_team(out: Path) -> None:
    run(out / "ddp")
    run(out / "ddp_pieces", micro_batches=2)
    run(out / "ddp_dropout", dropout=0.5)
    interrupted(out / "ddp_resumed")
    run(out / "fsdp", sharding="fsdp")
    run(out / "fsdp_pieces", sharding="fsdp", micro_batches=2)
    interrupted(out / "fsdp_resumed", sharding="fsdp")
    stopped(out / "handed_over", sharding="fsdp")
    interrupted(out / "ddp_lora", rank=2)
    interrupted(out / "fsdp_lora", rank=2, sharding="fsdp")


def weights(out: Path) -> dict[str, Tensor]:
    return load_file(out / WEIGHTS)


def lines(out: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (out / METRICS).read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in found]


def failing(out: Path) -> None:
    """In the second process only; the first one waits for it."""
    Team()
    if os.environ["RANK"] == "1":
        raise ReverieError(f"nothing in {out}")
    Team().wait()
