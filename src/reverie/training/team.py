"""The processes that train one model together: which rows each one takes, and how sums, gradients and weights are joined.

A single process is a team of one. Teams are started by `launch`, `torchrun` or `accelerate launch`, one process a GPU, or
a share of the cores (gloo). Every process must see the same files. It knows nothing of losses.
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.utils import DistributedType, broadcast_object_list
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.nn.metrics import Mean, Metrics
from reverie.training.config import Sharding
from reverie.training.sharding import gathered, shard

Value = TypeVar("Value")


class Team:
    """`rank` of `size`; the one that is `first` writes files and speaks. sharding: "none", each process holds all weights
    and exchanges gradients (DDP); "fsdp": each holds its part of every weight (FSDP2, `torch...fsdp.fully_shard`, called
    here because accelerate's own wrapper of it refuses CPUs)."""

    def __init__(self, sharding: Sharding = "none") -> None:
        # At a batch that leaves some weights out (another data set, another branch) DDP would wait for their gradients.
        some_unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=_only_cpus(), mixed_precision="no", kwargs_handlers=[some_unused])
        self.size, self.rank = self.accelerator.num_processes, self.accelerator.process_index
        self.first, self.device = self.accelerator.is_main_process, self.accelerator.device
        self.sharded = sharding == "fsdp" and self.size > 1
        if self.accelerator.distributed_type not in _PLAIN:
            raise ReverieError(
                f"accelerate was configured for {self.accelerator.distributed_type.value}: start it with plain processes "
                "(`accelerate launch --multi_gpu`, or torchrun) and give --sharding fsdp instead"
            )

    def rows(self, size: int) -> slice:
        """This process's rows of a batch of `size`."""
        each = size // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def wrap(self, module: nn.Module) -> nn.Module:
        """What to call for a loss whose gradients are joined: their mean over the processes."""
        module.to(self.device)
        if self.sharded:
            shard(module)
            return module
        # Of 1 x 1 kernels two layouts are the same bytes: nothing is lost.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        return self.accelerator.prepare(module)  # type: ignore[no-any-return]

    def joining(self, wrapped: nn.Module, join: bool) -> AbstractContextManager[Any]:
        """A backward pass whose gradients are joined with the other processes', or kept for the next one."""
        if self.sharded:
            wrapped.set_requires_gradient_sync(join)  # type: ignore[operator]
            return nullcontext()
        return nullcontext() if join else self.accelerator.no_sync(wrapped)

    def totals(self, metrics: Metrics) -> Metrics:
        """Sums over the processes. Every one must call with the same names."""
        if self.size == 1 or not metrics:
            return metrics
        names = sorted(metrics)
        mine = torch.stack([v.detach().double().to(self.device) for n in names for v in metrics[n]])
        joined = self.accelerator.reduce(mine, "sum").float()
        return {n: Mean(joined[2 * i], joined[2 * i + 1]) for i, n in enumerate(names)}

    def agreed(self, value: Value) -> Value:
        """The first process's value, in all of them."""
        return broadcast_object_list([value])[0] if self.size > 1 else value

    def wait(self) -> None:
        """Until every process is here."""
        self.accelerator.wait_for_everyone()

    def whole(self, tensors: Mapping[str, Tensor], everywhere: bool = False) -> dict[str, Tensor]:
        """Sharded tensors put together, on the first process or on all; the others take part and get nothing."""
        wanted = self.first or everywhere
        if not self.sharded:
            return dict(tensors) if wanted else {}
        found = {}
        for name, value in tensors.items():
            full = gathered(value)
            if wanted:
                found[name] = full.cpu()
        return found


@contextmanager
def first_one_alone() -> Iterator[bool]:
    """Whether this process is the one of its team that acts; the others wait until it has."""
    state = PartialState(cpu=_only_cpus())
    yield state.is_main_process
    state.wait_for_everyone()


@contextmanager
def first_one_first() -> Iterator[None]:
    """Of a team on one machine the first process does this before the others, which then find what it left on disk."""
    with PartialState(cpu=_only_cpus()).local_main_process_first():
        yield


def is_first() -> bool:
    """Is this the process that speaks?"""
    return bool(PartialState(cpu=_only_cpus()).is_main_process)


@contextmanager
def my_share(work: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """Of pieces of work that any process of the team may do, those that are this one's; all wait until all are done."""
    state = PartialState(cpu=_only_cpus())
    yield work[state.process_index :: state.num_processes]
    state.wait_for_everyone()


_PLAIN = {t for t in DistributedType if t == DistributedType.NO or t.value.startswith("MULTI_")}


def _only_cpus() -> bool:
    """Whether several processes are to talk over gloo: accelerate has to be told."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.accelerator.is_available()
