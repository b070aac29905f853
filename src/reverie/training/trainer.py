"""The one loop that trains policies, video worlds and judges. What it learns and from what is not its affair."""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from reverie.checkpoints import machine_receipt
from reverie.checkpoints.receipt import commit
from reverie.core import ReverieError, seed_for
from reverie.nn.metrics import Mean, Metrics, added, values
from reverie.training.averaging import Average
from reverie.training.board import FOLDER as BOARD
from reverie.training.config import Dtype, TrainerConfig
from reverie.training.freezing import frozen_modules
from reverie.training.journal import FILE as METRICS
from reverie.training.journal import Journal, Screen
from reverie.training.objective import LossModule, Objective
from reverie.training.optimisation import decayed, learning_rate
from reverie.training.rehearsal import Estimate, check_disk, estimated, time_steps
from reverie.training.sharding import gathered
from reverie.training.source import Source, to_device
from reverie.training.state import FILE, Learner, Progress, load_state, save_state
from reverie.training.team import Team, first_one_alone
from reverie.training.validation import validate
from reverie.training.wording import expected, pace, resuming, said, spoken

Export = Callable[[Path, Mapping[str, Tensor], Mapping[str, Any]], None]
"""(folder, averaged weights, receipt): write a checkpoint that others can load."""


class Success(Protocol):
    """What the averaged weights achieve where they are used: see `closed_loop`."""

    @property
    def every(self) -> int: ...

    def measure(self, weights: Mapping[str, Tensor], team: Team) -> dict[str, Any]:
        """Called in every process of the team, with whole weights; changes nothing that trains."""
        ...


@dataclass
class Trainer:
    """`run` goes on where an earlier call with the same `out` was killed, to the same weights, bit by bit, at the same
    number of threads and processes on the same device. In `out`: the checkpoint, `samples-<n>/` with those of graded
    skill, `metrics.jsonl`, `tensorboard/`, and the state to resume from.

    In a team every process runs it on its share of each batch. The loss and the gradient are those of the whole batch
    (`objective`); what is drawn inside a loss (dropout, noise) differs from share to share, and batch norms see a share.
    """

    model: nn.Module
    source: Source
    config: TrainerConfig
    out: Path
    export: Export
    quiet: bool = False
    success: Success | None = None

    def run(self) -> dict[str, float]:
        """For every step: draw the batch of that step, lower its loss, average the weights; now and then validate, write
        a checkpoint, save the state. Returns the last validation. What is finished stays as it is."""
        self._prepare()
        if self.progress.exported and self.progress.step == self.config.n_steps:
            return self.progress.validated
        self.progress.exported = False
        done = self.progress.step
        self.screen = Screen(self.config.samples, self._samples, self.quiet)
        self.journal = Journal(self.out, done, self.config.tensorboard, self.team.first)
        with self.screen, self.journal:
            self._announce()
            self.clock = time.perf_counter() - self.progress.seconds
            for step in range(done, self.config.n_steps):
                metrics = self._step(step)
                self._after(step + 1, metrics)
        self._export(self.out)
        self.progress.exported = True
        self._save()
        self.team.wait()
        return self.progress.validated

    def _prepare(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        self.team = Team(self.config.sharding)
        self.config.check_split(self.team.size)
        self.quiet = self.quiet or not self.team.first
        self.module = LossModule(self.model)
        self.wrapped = self.team.wrap(self.module)
        groups = decayed(self.model, self.config.weight_decay)
        self.optimizer = self.team.accelerator.prepare(
            torch.optim.AdamW(groups, lr=self.config.learning_rate, fused=True)
        )
        self.average = Average(self.model, self.config.ema)
        self.learner = Learner(self.model, self.average, self.optimizer, self.team)
        self.objective = Objective(self.module, self.wrapped, self.team, self.config.micro_batches)
        self.frozen = frozen_modules(self.model)
        found = load_state(self.out, self.config, self.source.fingerprint, self.learner)
        self.team.wait()  # nobody may find what the first process writes now
        self.estimate: Estimate | None = None
        self.progress = found or self._start()
        self.progress.commits += [c for c in [commit() or "unknown"] if c not in self.progress.commits[-1:]]
        kept = {k: torch.tensor(v, device=self.team.device) for k, v in self.progress.sums.items()}
        self.sums: Metrics = {k: Mean(*v) for k, v in kept.items()}
        if found is None:
            self._save()  # the precision was chosen by the clock: a restart must not choose again

    def _start(self) -> Progress:
        """Measure, choose the precision, and remember what a resumed training must find unchanged."""
        buffers = {k: v.clone() for k, v in self.model.named_buffers()}
        times = time_steps(self._rehearsed, self.config, self.team.device)
        self.estimate = self.team.agreed(estimated(times, self.config, self.model, self.team.device))
        if self.team.first:
            check_disk(self.out, self.estimate.disk_gb)
        for name, buffer in self.model.named_buffers():
            buffer.copy_(buffers[name])
        self.average.begin(self.model)
        self.optimizer.state.clear()
        return Progress(
            precision=self.estimate.precision,
            threads=torch.get_num_threads(),
            processes=self.team.size,
            source=self.source.fingerprint,
            trains=self.learner.trains,
        )

    def _rehearsed(self, precision: Dtype) -> None:
        """A whole step at rate 0, which leaves the weights and their average as they are."""
        metrics = self._gradient(0, precision, "rehearsal")
        self._check_finite(0, metrics["loss"])
        self._update(0.0)

    def _announce(self) -> None:
        threads = torch.get_num_threads()
        if self.progress.step:
            for line in resuming(self.config, self.progress, threads, self.team.size, self.out):
                self.screen.say(line)
            return
        trained = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        if self.estimate is not None:
            self.screen.say(expected(self.config, self.estimate, trained, self.team.size))

    def _step(self, step: int) -> Metrics:
        """One optimiser step; all randomness of the loss comes from (seed, step)."""
        metrics = self._gradient(step, self.progress.precision, "training")
        self._check_finite(step, metrics["loss"])
        norm = self._update(learning_rate(self.config, step))
        return metrics | {"gradient_norm": Mean(norm, norm.new_tensor(1.0))}

    def _gradient(self, step: int, precision: Dtype, purpose: str) -> Metrics:
        """Piece 0 of a batch draws from (seed, step), the others from (seed, step, piece)."""
        self.wrapped.train()
        for module in self.frozen:
            module.eval()
        size, seed = self.config.batch_size, self.config.seed
        batch = to_device(self.source.batch(step, size, self.team.rows(size)), self.team.device)
        return self.objective.backward(
            batch, precision, lambda piece: seed_for(purpose, seed, step, *([piece] if piece else []))
        )

    def _update(self, rate: float) -> Tensor:
        """Move the weights against their gradients, limited to a common norm, which is returned; average them."""
        norm = gathered(self.team.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.model)
        return norm

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
        if self.config.due(step, self.config.log_every):
            means = values(self.sums)
            self._write("training", means)
            self.screen.advance(self._samples, f"{pace(self.config, self.progress)}, loss {means['loss']:.4f}")
            self.sums = {}
        if self.config.due(step, self.config.validate_every):
            self._validate()
        if self.success is not None and self.config.due(step, self.success.every):
            self._try_out(self.success)
        if self.config.due(step, self.config.checkpoint_every):
            self._export(self.out / f"samples-{self._samples:08d}")
        if self.config.due(step, self.config.state_every):
            self._save()

    @property
    def _samples(self) -> int:
        return self.progress.step * self.config.batch_size

    def _validate(self) -> None:
        """The averaged weights on held-out batches."""
        with self.average.applied(self.model):
            found = validate(self.module, self.source, self.team, self.progress.precision, self.config.seed)
        self.progress.validated = found
        self._write("validation", found)
        self._tell(spoken(found))

    def _try_out(self, success: Success) -> None:
        found = success.measure(self.team.whole(self.average.of(self.model), everywhere=True), self.team)
        self.progress.success = found | {"samples": self._samples}
        self._write("success", {k: v for k, v in found.items() if k in ("rate", "low", "high", "n", "errors")})
        self._tell(said(found))

    def _tell(self, measured: str) -> None:
        self.screen.say(f"{self._samples:>9,}  {pace(self.config, self.progress)}  {measured}")

    def _write(self, phase: str, metrics: Mapping[str, float]) -> None:
        head = {
            "step": self.progress.step,
            "samples": self._samples,
            "phase": phase,
            "seconds": round(self.progress.seconds, 2),
        }
        self.journal.write(head | {k: round(v, 6) for k, v in metrics.items()})

    def _export(self, folder: Path) -> None:
        weights = self.team.whole(self.average.of(self.model))
        if self.team.first:
            self.export(folder, weights, self._receipt())

    def _save(self) -> None:
        self.progress.sums = {k: (float(m.total), float(m.n)) for k, m in self.sums.items()}
        save_state(self.out, self.config, self.progress, self.learner)

    def _receipt(self) -> dict[str, Any]:
        """How the weights were made: added to what the exporter knows (data, specs)."""
        return machine_receipt(self.team.device) | {
            "processes": self.team.size,
            "samples": self._samples,
            "seconds": round(self.progress.seconds, 1),
            "precision": self.progress.precision,
            "trainer": self.config.__dict__.copy(),
            "source": self.source.fingerprint,
            "commits": list(self.progress.commits),
            "measured": dict(self.progress.validated),
            **({"success": dict(self.progress.success)} if self.progress.success else {}),
        }


def discard(out: Path) -> None:
    """Remove the files of an earlier training, and nothing else. In a team, the first process does, before any goes on."""
    with first_one_alone() as first:
        if first:
            for name in (FILE, METRICS, "checkpoint.json", "weights.safetensors"):
                (out / name).unlink(missing_ok=True)
            for folder in (*out.glob("samples-????????"), out / BOARD):
                shutil.rmtree(folder, ignore_errors=True)
