"""A training whose weights are most of its memory: how much it said that it would take, and how much it took."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reverie.checkpoints import Checkpoint, save
from reverie.nn.metrics import Batch, Metrics
from reverie.training.config import TrainerConfig
from reverie.training.rehearsal import peak_memory_gb
from reverie.training.trainer import Trainer

WIDTH, DEPTH = 1024, 12


class Wide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH)))

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        return self.layers(batch["x"]).square().mean(), {}


class Few:
    fingerprint = "few"

    def batch(self, step: int, size: int, rows: slice = slice(None)) -> Batch:
        return {"x": torch.ones(size, WIDTH)[rows]}

    def validation(self) -> Mapping[str, list[Batch]]:
        return {}


def main(out: Path) -> None:
    torch.set_num_threads(1)
    config = TrainerConfig(samples=8, batch_size=4, precision="float32", state_every=4, validate_every=0)

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, object]) -> None:
        rebuilt = Wide()  # as policies are
        rebuilt.load_state_dict(dict(weights))
        save(folder, Checkpoint("policy", "wide", "wide", {}, rebuilt.state_dict()))

    trainer = Trainer(Wide(), Few(), config, out, export, quiet=True)
    trainer.run()
    assert trainer.estimate is not None
    took = sum(f.stat().st_size for f in out.rglob("*")) / 1e9
    told = {"memory": trainer.estimate.memory_gb, "disk": trainer.estimate.disk_gb}
    print(json.dumps(told | {"memory_taken": peak_memory_gb(torch.device("cpu")), "disk_taken": took}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
