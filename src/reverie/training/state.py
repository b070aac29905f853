"""The state of an unfinished training in one file: weights, average, optimiser, step. Written whole or not at all."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from reverie.checkpoints.folder import write_atomically
from reverie.core import ReverieError
from reverie.training.averaging import Average, prefixed, unprefixed
from reverie.training.config import FREE_TO_CHANGE, Dtype, TrainerConfig

FILE = "state.safetensors"


@dataclass
class Progress:
    """How far a training is: steps taken, seconds spent, the last validation, the commits it was made at, whether its
    checkpoint is written; and what must stay the same when it goes on."""

    step: int = 0
    seconds: float = 0.0
    validated: dict[str, float] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    exported: bool = False
    precision: Dtype = "float32"
    threads: int = 1
    source: str = ""


def save_state(folder: Path, config: TrainerConfig, progress: Progress, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer) -> None:  # fmt: skip
    tensors = prefixed("model", model.state_dict()) | prefixed("average", average.weights)
    tensors |= prefixed("optimizer", _flatten(optimizer))
    described = {"config": asdict(config), "progress": asdict(progress), "n_updates": average.n_updates}
    stored = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_atomically(folder / FILE, save_bytes(stored, metadata={"training": json.dumps(described)}))


def load_state(folder: Path, config: TrainerConfig, source: str, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer) -> Progress | None:  # fmt: skip
    """Fill model, average and optimiser from the folder; None if no training was begun there."""
    file = folder / FILE
    if not file.is_file():
        return None
    tensors, described = _read(file)
    progress = Progress(**described["progress"])
    _check_same(file, config, described["config"], source, progress.source)
    try:
        model.load_state_dict(unprefixed("model", tensors))
        average.weights = unprefixed("average", tensors)
        average.n_updates = described["n_updates"]
        _unflatten(optimizer, unprefixed("optimizer", tensors))
    except (RuntimeError, KeyError) as error:
        raise ReverieError(
            f"{file} is of another network: {error}; give another --out, or --restart to discard it"
        ) from error
    return progress


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {k: opened.get_tensor(k) for k in opened.keys()}  # noqa: SIM118
            return tensors, json.loads((opened.metadata() or {})["training"])
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ReverieError(f"{file} cannot be read ({error}): give --restart to discard it and begin again") from error


def _check_same(file: Path, config: TrainerConfig, before: dict[str, Any], source: str, source_before: str) -> None:
    now = asdict(config)
    changed = [
        f"{k}: was {before.get(k)}, is {v}" for k, v in now.items() if k not in FREE_TO_CHANGE and before.get(k) != v
    ]
    if source != source_before:
        changed.append(f"the data or how it is sampled (fingerprint was {source_before}, is {source})")
    if changed:
        raise ReverieError(
            f"{file} is a training with other settings: {'; '.join(changed)}. Give the same settings to go on with it, "
            "another --out, or --restart to discard it"
        )


def _flatten(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """AdamW's state as `<parameter number>.<what>`."""
    return {f"{i}.{k}": v for i, kept in optimizer.state_dict()["state"].items() for k, v in kept.items()}


def _unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, kind = name.split(".", 1)
        state.setdefault(int(index), {})[kind] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
