"""Weights of which every process holds a part (FSDP2): parting them, putting them together, filling them from a file.

What torch needs for this is imported where it is used: that takes a second, and most trainings never do.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def shard(module: nn.Module) -> None:
    """Every member of a list of layers is gathered for its own forward and backward pass, the rest with the whole."""
    from torch.distributed.fsdp import fully_shard

    lists = [m for m in module.modules() if isinstance(m, nn.ModuleList)]
    for layers in reversed(lists):  # inner lists first
        for layer in layers:
            if not isinstance(layer, nn.ModuleList) and any(True for _ in layer.parameters()):
                fully_shard(layer)
    fully_shard(module)


def gathered(value: Any) -> Tensor:
    """The whole of a tensor that may be one process's part."""
    whole: Tensor = value.full_tensor() if _is_part(value) else value
    return whole


def fill(own: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> None:
    """Copy whole tensors into tensors of the same names, sharded or not. Errors: KeyError, RuntimeError where they differ."""
    for name, mine in own.items():
        if mine.shape != stored[name].shape:
            raise RuntimeError(f"{name} has shape {list(stored[name].shape)}, expected {list(mine.shape)}")
        mine.detach().copy_(as_sharded(stored[name], mine))


def as_sharded(value: Tensor, like: Any) -> Tensor:
    """A whole tensor, spread over the processes as `like` is."""
    if not _is_part(like):
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def _is_part(value: Any) -> bool:
    """Is it a `torch.distributed.tensor.DTensor`?"""
    return hasattr(value, "device_mesh")
