"""Where the time of a training step goes: `reverie train vla` (tiny) on one core, part by part.

The step is written out here from the trainer's own parts, with a clock between them; a test holds it to the same weights.
The clock is the processor's, which stands still while other processes run: one thread of a training that is alone takes as long.
"""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from record import number
from reverie.checkpoints import load
from reverie.core import seed_for
from reverie.data.cache import FrameCache
from reverie.policies.catalog import LEARNED
from reverie.training.averaging import Average
from reverie.training.config import TrainerConfig
from reverie.training.fit import PolicyRecipe, fit_policy, prepare_data
from reverie.training.optimisation import decayed, learning_rate
from reverie.training.rehearsal import autocast
from reverie.training.source import Source
from reverie.training.text_table import prepare

PARTS = ("loading", "forward", "backward", "optimiser", "average")
CPU = torch.device("cpu")


@dataclass
class Laps:
    """Seconds of each part, one entry a step."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})
    last: float = 0.0

    def start(self) -> None:
        self.last = time.process_time()

    def lap(self, part: str) -> None:
        now = time.process_time()
        self.seconds[part].append(now - self.last)
        self.last = now


def run_steps(model: nn.Module, source: Source, config: TrainerConfig, precision: Any, n_steps: int) -> tuple[Laps, Average]:  # fmt: skip
    """The first `n_steps` of a training, timed; and its averaged weights."""
    optimizer = torch.optim.AdamW(decayed(model, config.weight_decay), lr=config.learning_rate, fused=True)
    average, laps = Average(model, config.ema), Laps()
    model.train()
    for step in range(n_steps):
        laps.start()
        batch = source.batch(step, config.batch_size)
        laps.lap("loading")
        torch.manual_seed(seed_for("training", config.seed, step))
        with autocast(precision, CPU):
            loss, _ = model.compute_loss(batch)  # type: ignore[operator]
        laps.lap("forward")
        loss.backward()
        laps.lap("backward")
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        laps.lap("optimiser")
        average.update(model)
        laps.lap("average")
    return laps, average


def step_times(cache: FrameCache, warm: int, timed: int) -> dict[str, Any]:
    """Milliseconds of a step of the trainer itself, and of the parts, with their shares of the parts' sum."""
    recipe, tiny = PolicyRecipe(trainer=_trainer(warm + timed)), LEARNED["vla"].tiny
    prepared = prepare_data(cache, recipe.cloning, recipe.trainer, tiny)
    torch.manual_seed(recipe.trainer.seed)
    model = LEARNED["vla"].build(tiny, prepared.shapes)
    prepare(model, prepared.main.sentences(), cache.path, quiet=True)
    _, few_s = _trained(cache, warm)
    precision, all_s = _trained(cache, warm + timed)
    laps, _ = run_steps(model, prepared.source, recipe.trainer, precision, warm + timed)
    parts = {p: median(laps.seconds[p][warm:]) * 1e3 for p in PARTS}
    total = sum(parts.values())
    return {
        "precision": precision,
        "trainer": number((all_s - few_s) / timed * 1e3, "ms", timed),
        "sum": number(total, "ms", timed),
        "parts": {p: {"time": number(ms, "ms", timed), "share": number(ms / total)} for p, ms in parts.items()},
    }


def _trainer(n_steps: int) -> TrainerConfig:
    return TrainerConfig(samples=n_steps * TrainerConfig.batch_size, validate_every=0, state_every=0)


def _trained(cache: FrameCache, n_steps: int) -> tuple[Any, float]:
    """The precision that `reverie train vla` chooses here, and the seconds that so short a training takes, all included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        fit_policy(cache, PolicyRecipe(trainer=_trainer(n_steps)), Path(folder) / "vla", quiet=True)
        taken_s = time.process_time() - start
        return load(Path(folder) / "vla").receipt["precision"], taken_s
