"""An exponential moving average of the weights: what is validated, saved and used."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """average <- d average + (1 - d) weights, with d = min(decay, (1 + n) / (10 + n)) after n updates, so that the first
    weights are soon forgotten. `weights` holds what may change: frozen weights are their own average."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.begin(model)

    def begin(self, model: nn.Module) -> None:
        """At the model's own weights."""
        self.n_updates = 0
        self.weights = {k: v.detach().clone() for k, v in _changing(model).items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        own = model.state_dict()
        for name, average in self.weights.items():
            if average.is_floating_point():
                average.lerp_(own[name], 1 - decay)
            else:
                average.copy_(own[name])

    def of(self, model: nn.Module) -> dict[str, Tensor]:
        """Every weight of the model as it is used: averaged, or frozen."""
        return {k: self.weights.get(k, v) for k, v in model.state_dict().items()}

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """The model has the average's weights inside the block, its own after it."""
        own = {k: v.detach().clone() for k, v in _changing(model).items()}
        model.load_state_dict(self.weights, strict=False)
        try:
            yield
        finally:
            model.load_state_dict(own, strict=False)


def _changing(model: nn.Module) -> dict[str, Tensor]:
    """Weights that train, and buffers."""
    frozen = {k for k, p in model.named_parameters() if not p.requires_grad}
    return {k: v for k, v in model.state_dict().items() if k not in frozen}


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{k}": v for k, v in tensors.items()}


def unprefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(f"{prefix}/"): v for k, v in tensors.items() if k.startswith(f"{prefix}/")}
