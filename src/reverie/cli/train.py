"""`reverie train MODEL`: fit a policy of the catalog, or the grounded backbone that they can begin with.

    reverie train vla --data data/put_in --out checkpoints/vla
    reverie train grounding --data data/mixed --out checkpoints/grounding
    reverie train vla --data data/put_in --backbone checkpoints/grounding --out checkpoints/vla

The same command again goes on where it stopped.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import tyro

from reverie.core import unknown_name
from reverie.data.cache import FrameCache, open_cache
from reverie.policies.catalog import LEARNED
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.fit import GroundingRecipe, PolicyRecipe, fit_grounding, fit_policy
from reverie.training.grounding import GroundingTask


@dataclass(frozen=True)
class PolicyCommand:
    """data: the data set's folder. out: where the checkpoint goes. threads: 1 where other work runs beside it.
    restart: discard what an earlier training left in `out`."""

    data: Path
    out: Path
    model: Any
    backbone: Path | None = None
    freeze_backbone: bool = False
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=TrainerConfig)
    cloning: CloningConfig = field(default_factory=CloningConfig)
    threads: int = 0
    restart: bool = False


@dataclass(frozen=True)
class GroundingCommand:
    """As for policies; the data must hold object positions."""

    data: Path
    out: Path
    model: GroundingTask = field(default_factory=GroundingTask)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=TrainerConfig)
    cloning: CloningConfig = field(default_factory=lambda: GroundingRecipe().cloning)
    threads: int = 0
    restart: bool = False


def train_policy(family: str, arguments: Sequence[str]) -> None:
    entry = LEARNED[family]
    command = tyro.cli(_command_for(entry.config, entry.tiny), args=arguments, prog=f"reverie train {family}")
    recipe = PolicyRecipe(
        family, command.model, command.cloning, command.trainer, command.backbone, command.freeze_backbone
    )
    fit_policy(_open(command.data, command.threads), recipe, command.out, restart=command.restart)
    print(command.out)


def train_grounding(arguments: Sequence[str]) -> None:
    command = tyro.cli(GroundingCommand, args=arguments, prog="reverie train grounding")
    recipe = GroundingRecipe(command.model, command.cloning, command.trainer)
    fit_grounding(_open(command.data, command.threads), recipe, command.out, restart=command.restart)
    print(command.out)


def _command_for(config: type[Any], default: Any) -> type[Any]:
    """PolicyCommand with the family's own configuration as `model`, so that its options are listed and checked."""
    from dataclasses import make_dataclass

    return make_dataclass(
        "PolicyCommand", [("model", config, field(default_factory=lambda: replace(default)))],
        bases=(PolicyCommand,), frozen=True, kw_only=True,
    )  # fmt: skip


def _open(data: Path, threads: int) -> FrameCache:
    if threads:
        torch.set_num_threads(threads)
    return open_cache(data)


TRAINABLE: Mapping[str, Callable[[Sequence[str]], None]] = {
    **{name: (lambda arguments, name=name: train_policy(name, arguments)) for name in LEARNED},  # type: ignore[misc]
    "grounding": train_grounding,
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(f"{__doc__}\nMODEL is one of: {', '.join(TRAINABLE)}. `reverie train MODEL --help` lists its options.")
        return
    if given[0] not in TRAINABLE:
        raise unknown_name("model to train", given[0], list(TRAINABLE))
    TRAINABLE[given[0]](given[1:])
