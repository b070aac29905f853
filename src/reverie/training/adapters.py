"""LoRA (Hu et al. 2021): beside a frozen linear layer W a trained product of rank r, W x + (alpha / r) B A x, through `peft`.

A checkpoint holds W + (alpha / r) B A under the layer's own name: nobody who loads it has to know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec

from torch import Tensor, nn

from reverie.core import ReverieError

_NAME = "default"
_FUSED = (nn.MultiheadAttention, nn.TransformerEncoderLayer)
"""Modules that read their layers' weights past the layers, so that an adapter there would never be asked."""


@dataclass(frozen=True)
class Lora:
    """Adapters of linear layers, whose own weights then stay as they are; what is no target trains unless it is frozen.

    rank: of the product; 0: no adapters. alpha / rank scales it. dropout: of what goes into it, in training. targets: names
    of layers, * stands for anything: "trunk.*", "*.qkv"."""

    rank: int = 0
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("*",)


def adapt(model: nn.Module, lora: Lora) -> None:
    """Put adapters on the model, in place. At first they change nothing: B is 0, A drawn from torch's generator.

    Errors: ReverieError if no layer has a name that fits, or `peft` is missing."""
    if not lora.rank:
        return
    if find_spec("peft") is None:
        raise ReverieError("LoRA needs the package peft: pip install 'reverie[peft]', or leave out --lora.rank")
    from peft import LoraConfig, inject_adapter_in_model

    trains = {id(p) for p in model.parameters() if p.requires_grad}
    chosen = _targets(model, lora.targets)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules="|".join(re.escape(name) for name in chosen),
    )
    inject_adapter_in_model(config, model, _NAME)
    for name, weight in model.named_parameters():  # peft has frozen everything else
        weight.requires_grad_(".lora_" in name or (".base_layer." not in name and id(weight) in trains))


def _targets(model: nn.Module, patterns: tuple[str, ...]) -> list[str]:
    fused = {f"{name}.{child}" for name, m in model.named_modules() if isinstance(m, _FUSED) for child, _ in m.named_modules()}  # fmt: skip
    linear = [name for name, m in model.named_modules() if type(m) is nn.Linear and name not in fused]
    chosen = [name for name in linear if any(fnmatchcase(name, p) for p in patterns)]
    if not chosen:
        raise ReverieError(
            f"lora.targets {list(patterns)} fit no linear layer; the model has {', '.join(linear) or 'none'}"
        )
    return chosen


def merged(model: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`weights` of an adapted model, whole -> those of the model without adapters that computes the same."""
    found = dict(weights)
    for name, scale in _scales(model).items():
        a, b = (found.pop(f"{name}.lora_{k}.{_NAME}.weight") for k in "AB")
        for kind in ("weight", "bias"):
            if f"{name}.base_layer.{kind}" in found:
                found[f"{name}.{kind}"] = found.pop(f"{name}.base_layer.{kind}")
        found[f"{name}.weight"] = found[f"{name}.weight"] + scale * (b @ a)
    return found


def _scales(model: nn.Module) -> dict[str, float]:
    return {
        name: m.scaling[_NAME] for name, m in model.named_modules() if hasattr(m, "lora_A") and hasattr(m, "scaling")
    }
