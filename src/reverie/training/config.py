"""How long and how fast to train. One value for all models; what is learned from is the source's affair."""

from dataclasses import dataclass
from typing import Literal

from reverie.core import ReverieError

Dtype = Literal["float32", "bfloat16"]
Sharding = Literal["none", "fsdp"]


@dataclass(frozen=True)
class TrainerConfig:
    """Lengths are in training samples, so that they mean the same at every batch size; intervals are rounded to steps.

    samples: how many in all. Small batches, many updates: for policies of this size 32 learned faster than 128.
    micro_batches: into how many pieces a batch is split to save memory. checkpoint_every: numbered checkpoints (0: none),
    policies of graded skill. state_every: how much work a kill may cost. precision: "auto" measures bfloat16 against
    float32 on this machine before it starts. sharding: what several processes do with the weights, hold all of them
    ("none") or a part each ("fsdp"). tensorboard: the metrics also as TensorBoard reads them.
    """

    samples: int = 100_000
    batch_size: int = 32
    micro_batches: int = 1
    learning_rate: float = 7e-4
    warmup_samples: int = 6_400
    final_rate: float = 0.02
    weight_decay: float = 1e-3
    clip: float = 1.0
    ema: float = 0.998
    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    validate_every: int = 10_000
    checkpoint_every: int = 0
    state_every: int = 10_000
    log_every: int = 1_600
    sharding: Sharding = "none"
    tensorboard: bool = True

    def __post_init__(self) -> None:
        if self.samples < 1 or self.batch_size < 1 or self.batch_size % self.micro_batches:
            raise ReverieError(
                f"training needs samples >= 1 and a batch_size that micro_batches divides, found samples {self.samples}, "
                f"batch_size {self.batch_size}, micro_batches {self.micro_batches}"
            )

    def check_split(self, processes: int) -> None:
        """Errors: ReverieError for a batch that cannot be shared out evenly."""
        if self.batch_size % (processes * self.micro_batches):
            raise ReverieError(
                f"batch_size is {self.batch_size}: {processes} processes of {self.micro_batches} micro batches need a "
                f"multiple of {processes * self.micro_batches}"
            )

    @property
    def n_steps(self) -> int:
        return -(-self.samples // self.batch_size)

    def steps(self, samples: int) -> int:
        """How many steps an interval of so many samples is; 0 stays 0 (never)."""
        return max(1, round(samples / self.batch_size)) if samples else 0

    def due(self, step: int, interval: int) -> bool:
        """Whether `step` (the number of steps taken) ends an interval of so many samples, or the training. The last
        interval is up to half longer rather than followed by a very short one."""
        every = self.steps(interval)
        if not every or step == self.n_steps:
            return bool(every)
        return step % every == 0 and self.n_steps - step > every // 2

    def times_due(self, interval: int) -> int:
        """How often an interval of so many samples ends in the whole training."""
        every = self.steps(interval)
        return 1 + max(0, self.n_steps - every // 2 - 1) // every if every else 0


FREE_TO_CHANGE = ("validate_every", "checkpoint_every", "state_every", "log_every", "sharding", "tensorboard")
"""Entries that may differ when a training is resumed: they do not change the weights."""
