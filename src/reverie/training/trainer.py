"""The one loop that trains policies, video worlds and judges. What it learns and from what is not its affair."""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from reverie.checkpoints import machine_receipt
from reverie.checkpoints.receipt import commit
from reverie.core import ReverieError, seed_for
from reverie.nn.metrics import Batch, Mean, Metrics, added, values
from reverie.training.averaging import Average
from reverie.training.config import TrainerConfig
from reverie.training.journal import Journal, Screen, duration, spoken
from reverie.training.optimisation import decayed, learning_rate
from reverie.training.rehearsal import autocast, rehearse
from reverie.training.source import LossModule, Source, rows_of, size_of, to_device
from reverie.training.state import FILE, Progress, load_state, save_state

Export = Callable[[Path, Mapping[str, Tensor], Mapping[str, Any]], None]
"""(folder, averaged weights, receipt): write a checkpoint that others can load."""


@dataclass
class Trainer:
    """`run` goes on where an earlier call with the same `out` was killed, to the same weights, bit by bit, at the same
    number of threads on the same device. In `out`: the checkpoint, `samples-<n>/` with those of graded skill,
    `metrics.jsonl`, and the state to resume from."""

    model: nn.Module
    source: Source
    config: TrainerConfig
    out: Path
    export: Export
    quiet: bool = False

    def run(self) -> dict[str, float]:
        """For every step: draw the batch of that step, lower its loss, average the weights; now and then validate, write
        a checkpoint, save the state. Returns the last validation. What is finished stays as it is."""
        self._prepare()
        if self.progress.exported and self.progress.step == self.config.n_steps:
            return self.progress.validated
        self.progress.exported = False
        done = self.progress.step
        with Screen(self.config.samples, done * self.config.batch_size, self.quiet) as self.screen:
            self._announce()
            self.clock = time.perf_counter() - self.progress.seconds
            for step in range(done, self.config.n_steps):
                metrics = self._step(step)
                self._after(step + 1, metrics)
        if self.accelerator.is_main_process:
            self.export(self.out, self.average.weights, self._receipt())
            self.progress.exported = True
            self._save()
        return self.progress.validated

    def _save(self) -> None:
        save_state(self.out, self.config, self.progress, self.model, self.average, self.optimizer)

    def _prepare(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        self.accelerator = Accelerator()
        self.device = self.accelerator.device
        self.model.to(self.device)
        optimizer = torch.optim.AdamW(
            decayed(self.model, self.config.weight_decay), lr=self.config.learning_rate, fused=True
        )
        self.average = Average(self.model, self.config.ema)
        found = load_state(self.out, self.config, self.source.fingerprint, self.model, self.average, optimizer)
        self.wrapped, self.optimizer = self.accelerator.prepare(LossModule(self.model), optimizer)
        self.first = self.source.batch(0, self.config.batch_size)
        self.progress = found or self._start()
        self.progress.commits += [c for c in [commit() or "unknown"] if c not in self.progress.commits[-1:]]
        if found is None and self.accelerator.is_main_process:
            self._save()  # the precision was chosen by the clock: a restart must not choose again
        self.journal = Journal(self.out, self.progress.step)
        self.sums: Metrics = {}

    def _start(self) -> Progress:
        """Measure, choose the precision, and remember what a resumed training must find unchanged."""
        torch.manual_seed(seed_for("rehearsal", self.config.seed))
        batch = to_device(self.first, self.device)
        self.estimate = rehearse(self.model.compute_loss, self.model, batch, self.config, self.device)  # type: ignore[arg-type]
        return Progress(
            precision=self.estimate.precision, threads=torch.get_num_threads(), source=self.source.fingerprint
        )

    def _announce(self) -> None:
        n = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        if self.progress.step:
            self.screen.say(f"resuming at {self.progress.step * self.config.batch_size:,} of {self.config.samples:,} samples in {self.out}")  # fmt: skip
            if self.progress.threads != torch.get_num_threads():
                self.screen.say(f"note: {torch.get_num_threads()} threads now, {self.progress.threads} before: the last bits may differ")  # fmt: skip
            return
        times = ", ".join(
            f"{k} {self.config.batch_size / s:.0f} samples/s" for k, s in self.estimate.step_seconds.items()
        )
        self.screen.say(
            f"{n:,} parameters, {self.config.samples:,} samples in {self.progress.precision} ({times}): about "
            f"{duration(self.estimate.seconds_left(self.config.n_steps))}, {self.estimate.memory_gb} GB of memory"
        )

    def _step(self, step: int) -> Metrics:
        """One optimiser step; all randomness of the loss comes from (seed, step)."""
        torch.manual_seed(seed_for("training", self.config.seed, step))
        self.wrapped.train()
        batch = to_device(self._share(self.source.batch(step, self.config.batch_size)), self.device)
        size = size_of(batch) // self.config.micro_batches
        total: Metrics = {}
        for i in range(self.config.micro_batches):
            last = i == self.config.micro_batches - 1
            with _maybe_synced(self.accelerator, self.wrapped, last), autocast(self.progress.precision, self.device):
                loss, metrics = self.wrapped(rows_of(batch, i * size, (i + 1) * size))
            self.accelerator.backward(loss / self.config.micro_batches)
            total = added(total, metrics | {"loss": Mean(loss.detach() * size, loss.new_tensor(float(size)))})
        self._check_finite(step, total["loss"])
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.model)
        return total | {"gradient_norm": Mean(norm, norm.new_tensor(1.0))}

    def _share(self, batch: Batch) -> Batch:
        """This process's rows of the batch."""
        n, i = self.accelerator.num_processes, self.accelerator.process_index
        size = self.config.batch_size // n
        return rows_of(batch, i * size, (i + 1) * size)

    def _check_finite(self, step: int, loss: Mean) -> None:
        if not math.isfinite(float(loss.total)):
            samples = step * self.config.batch_size
            raise ReverieError(
                f"the loss is {float(loss.total)} at sample {samples:,}; {self.out / FILE} keeps the last good state. "
                f"Lower learning_rate ({self.config.learning_rate}) or clip ({self.config.clip}), or look for bad values in the data"
            )

    def _after(self, step: int, metrics: Metrics) -> None:
        """What is due after so many steps."""
        self.sums = added(self.sums, metrics)
        self.progress.step, self.progress.seconds = step, time.perf_counter() - self.clock
        if not self.accelerator.is_main_process:
            return
        if self.config.due(step, self.config.log_every):
            means = values(self.sums)
            self._write("training", means)
            self.screen.advance(step * self.config.batch_size, f"loss {means['loss']:.4f}")
            self.sums = {}
        if self.config.due(step, self.config.validate_every):
            self._validate()
        if self.config.due(step, self.config.checkpoint_every):
            folder = self.out / f"samples-{step * self.config.batch_size:08d}"
            self.export(folder, self.average.weights, self._receipt())
        if self.config.due(step, self.config.state_every):
            self._save()

    @torch.no_grad()
    def _validate(self) -> None:
        """The averaged weights on held-out batches."""
        self.wrapped.eval()
        found: dict[str, float] = {}
        with self.average.applied(self.model), autocast(self.progress.precision, self.device):
            for name, batches in self.source.validation().items():
                sums: Metrics = {}
                for i, batch in enumerate(batches):
                    torch.manual_seed(seed_for("validation", self.config.seed, i))
                    loss, metrics = self.model.compute_loss(to_device(batch, self.device))  # type: ignore[operator]
                    size = float(size_of(batch))
                    sums = added(sums, metrics | {"loss": Mean(loss * size, loss.new_tensor(size))})
                found |= {f"{name}/{k}": round(v, 5) for k, v in values(sums).items()}
        self.progress.validated = found
        self._write("validation", found)
        samples = self.progress.step * self.config.batch_size
        self.screen.say(f"{samples:>9,}  {duration(self.progress.seconds)}  {spoken(found)}")

    def _write(self, phase: str, metrics: Mapping[str, float]) -> None:
        samples = self.progress.step * self.config.batch_size
        head = {
            "step": self.progress.step,
            "samples": samples,
            "phase": phase,
            "seconds": round(self.progress.seconds, 2),
        }
        self.journal.write(head | {k: round(v, 6) for k, v in metrics.items()})

    def _receipt(self) -> dict[str, Any]:
        """How the weights were made: added to what the exporter knows (data, specs)."""
        return machine_receipt(self.device) | {
            "samples": self.progress.step * self.config.batch_size,
            "seconds": round(self.progress.seconds, 1),
            "precision": self.progress.precision,
            "trainer": self.config.__dict__.copy(),
            "source": self.source.fingerprint,
            "commits": list(self.progress.commits),
            "measured": dict(self.progress.validated),
        }


def discard(out: Path) -> None:
    """Remove the files of an earlier training, and nothing else."""
    for name in (FILE, "metrics.jsonl", "checkpoint.json", "weights.safetensors"):
        (out / name).unlink(missing_ok=True)
    for folder in out.glob("samples-????????"):
        shutil.rmtree(folder)


def _maybe_synced(accelerator: Accelerator, model: nn.Module, last: bool) -> Any:
    """Gradients are exchanged between processes once, with the last piece of a batch."""
    return nullcontext() if last else accelerator.no_sync(model)
