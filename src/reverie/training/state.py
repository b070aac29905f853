"""The state of an unfinished training in one file: weights, average, optimiser, step. Written whole or not at all.

Weights are stored whole however they are sharded, so any number of processes can go on with it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from reverie.core import ReverieError, content_hash
from reverie.core.files import write_whole
from reverie.training.averaging import Average, prefixed, unprefixed
from reverie.training.config import FREE_TO_CHANGE, Dtype, TrainerConfig
from reverie.training.sharding import as_sharded, fill
from reverie.training.team import Team

FILE = "state.safetensors"


@dataclass
class Progress:
    """How far a training is: steps taken, seconds spent, the last validation and the last closed-loop success, the sums of
    metrics since they were last logged, the commits it was made at, whether its checkpoint is written; and what must stay
    the same when it goes on."""

    step: int = 0
    seconds: float = 0.0
    validated: dict[str, float] = field(default_factory=dict)
    success: dict[str, Any] = field(default_factory=dict)
    sums: dict[str, tuple[float, float]] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    exported: bool = False
    precision: Dtype = "float32"
    threads: int = 1
    processes: int = 1
    source: str = ""
    trains: str = ""


@dataclass
class Learner:
    """What changes while a team trains."""

    model: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    team: Team

    @property
    def trains(self) -> str:
        """Which weights do: a hash of their names."""
        return content_hash([k for k, p in self.model.named_parameters() if p.requires_grad])


def save_state(folder: Path, config: TrainerConfig, progress: Progress, learner: Learner) -> None:
    """Every process of a team takes part, the first one writes."""
    tensors = prefixed("model", learner.model.state_dict()) | prefixed("average", learner.average.weights)
    whole = learner.team.whole(tensors | prefixed("optimizer", _flatten(learner.optimizer)))
    if not learner.team.first:
        return
    described = {"config": asdict(config), "progress": asdict(progress), "n_updates": learner.average.n_updates}
    metadata = {"training": json.dumps(described)}
    write_whole(folder / FILE, lambda file: save_file(unshared(whole), file, metadata=metadata))


def load_state(folder: Path, config: TrainerConfig, source: str, learner: Learner) -> Progress | None:
    """Fill the learner from the folder; None if no training was begun there."""
    file = folder / FILE
    if not file.is_file():
        return None
    tensors, described = _read(file)
    progress = Progress(**described["progress"])
    prints = {
        "the data or how it is sampled": (progress.source, source),
        "which weights train": (progress.trains or learner.trains, learner.trains),
    }
    _check_same(file, config, described["config"], prints)
    try:
        model = unprefixed("model", tensors)
        learner.model.load_state_dict({k: as_sharded(model.pop(k), v) for k, v in learner.model.state_dict().items()})
        if model:
            raise KeyError(f"it has {len(model)} more weights, first {next(iter(model))}")
        fill(learner.average.weights, unprefixed("average", tensors))
        _unflatten(learner.optimizer, unprefixed("optimizer", tensors))
    except (RuntimeError, KeyError, ValueError) as error:
        raise ReverieError(
            f"{file} is of another network: {error}; give another --out, or --restart to discard it"
        ) from error
    learner.average.n_updates = described["n_updates"]
    return progress


def unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As safetensors wants them: on the CPU, contiguous, none sharing memory with another (tied weights are copied)."""
    seen: set[int] = set()
    found = {}
    for name, value in tensors.items():
        own = value.detach().cpu().contiguous()
        found[name] = own.clone() if own.data_ptr() in seen and own.numel() else own
        seen.add(own.data_ptr())
    return found


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {k: opened.get_tensor(k) for k in opened.keys()}  # noqa: SIM118
            return tensors, json.loads((opened.metadata() or {})["training"])
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ReverieError(f"{file} cannot be read ({error}): give --restart to discard it and begin again") from error


def _check_same(file: Path, config: TrainerConfig, before: dict[str, Any], prints: dict[str, tuple[str, str]]) -> None:
    """An entry that is not in `before` was not known then: it is as if it had been at its default. prints: before, now."""
    before = asdict(TrainerConfig()) | before
    changed = [
        f"{k}: was {before[k]}, is {v}"
        for k, v in asdict(config).items()
        if k not in FREE_TO_CHANGE and json.loads(json.dumps(v)) != before[k]
    ]
    changed += [f"{what} (fingerprint was {a}, is {b})" for what, (a, b) in prints.items() if a != b]
    if changed:
        raise ReverieError(
            f"{file} is a training with other settings: {'; '.join(changed)}. Give the same settings to go on with it, "
            "another --out, or --restart to discard it"
        )


def _flatten(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """AdamW's state as `<parameter number>.<what>`."""
    return {f"{i}.{k}": v for i, kept in optimizer.state_dict()["state"].items() for k, v in kept.items()}


def _unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    weights = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, kind = name.split(".", 1)
        like = weights[int(index)]
        state.setdefault(int(index), {})[kind] = as_sharded(value, like) if value.shape == like.shape else value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
