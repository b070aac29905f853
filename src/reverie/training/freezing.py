"""Weights that stay as they are."""

from collections.abc import Sequence

from torch import nn

from reverie.core import ReverieError

ALL = "all"


def freeze(model: nn.Module, prefixes: Sequence[str]) -> None:
    """Weights of the modules of these names, and of everything in them, stop training; "all" is the whole model.

    Errors: ReverieError for a name that no module has."""
    modules = dict(model.named_modules())
    for prefix in prefixes:
        if prefix != ALL and prefix not in modules:
            children = ", ".join(n for n, _ in model.named_children())
            raise ReverieError(
                f"freeze: the model has no module {prefix!r}; it has {children}, and {ALL!r} is everything"
            )
        (model if prefix == ALL else modules[prefix]).requires_grad_(False)


def frozen_modules(model: nn.Module) -> list[nn.Module]:
    """Modules with weights of which none trains: they are used as they were trained, so no dropout, and no running means
    that move."""
    found = []
    for module in model.modules():
        weights = list(module.parameters())
        if weights and not any(p.requires_grad for p in weights):
            found.append(module)
    return found
