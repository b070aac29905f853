"""`reverie train MODEL`: fit a policy of the catalog, the grounded backbone that they can begin with, a world or a judge.

    reverie train grounding --data data/mixed --out checkpoints/grounding
    reverie train vla --data data/mixed --backbone checkpoints/grounding --out checkpoints/vla
    reverie train world --data data/mixed --out checkpoints/world
    reverie data dream data/mixed --world checkpoints/world --out data/dreamt
    reverie train judge --data data/mixed --more data/dreamt --backbone checkpoints/grounding --out checkpoints/judge

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
from reverie.judges.network import FrameJudgeConfig
from reverie.judges.pose_only import PoseJudgeConfig
from reverie.policies.catalog import LEARNED
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit import GroundingRecipe, PolicyRecipe, fit_grounding, fit_policy
from reverie.training.fit_judge import FrameJudgeRecipe, PoseJudgeRecipe, fit_frame_judge, fit_pose_judge
from reverie.training.fit_world import WORLD_TRAINER, WorldTraining, fit_world
from reverie.training.grounding import GroundingTask
from reverie.training.judging import BagConfig
from reverie.world_model.network import UNetConfig


@dataclass(frozen=True)
class PolicyCommand:
    """data: the data set's folder. more: further data sets of the same robot. out: where the checkpoint goes.
    backbone: a grounding checkpoint to begin with. start: a policy to fine-tune.
    threads: 1 where other work runs beside it. restart: discard what an earlier training left in `out`."""

    data: Path
    out: Path
    model: Any
    more: tuple[Path, ...] = ()
    backbone: Path | None = None
    freeze_backbone: bool = False
    start: Path | None = None
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


@dataclass(frozen=True)
class WorldCommand:
    """data: the data set's folder. more: further data sets of the same robot, which take `more_share` of the training.
    start: a world to fine-tune. sequences: a sample is a sequence of so many generated frames."""

    data: Path
    out: Path
    more: tuple[Path, ...] = ()
    more_share: float = WorldTraining.more_share
    start: Path | None = None
    sequences: DreamingConfig = field(default_factory=DreamingConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = WORLD_TRAINER
    threads: int = 0
    restart: bool = False


@dataclass(frozen=True)
class JudgeCommand:
    """A judge that reads frames, from episode labels alone. data: recorded episodes. more: further ones, such as those
    that `reverie data dream` makes: a judge of generated frames must have seen some. backbone: a checkpoint that holds a
    grounded backbone. start: a judge to adapt."""

    data: Path
    out: Path
    more: tuple[Path, ...] = ()
    backbone: Path | None = None
    start: Path | None = None
    network: FrameJudgeConfig = field(default_factory=FrameJudgeConfig)
    bags: BagConfig = field(default_factory=BagConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=lambda: FrameJudgeRecipe().trainer)
    threads: int = 0
    restart: bool = False


@dataclass(frozen=True)
class PoseJudgeCommand:
    """The control of every judge: it sees commanded poses and no frame. more: further data sets; give it every recorded
    one that the judge of frames gets."""

    data: Path
    out: Path
    more: tuple[Path, ...] = ()
    network: PoseJudgeConfig = field(default_factory=PoseJudgeConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=lambda: PoseJudgeRecipe().trainer)
    threads: int = 0
    restart: bool = False


def train_policy(family: str, arguments: Sequence[str]) -> None:
    entry = LEARNED[family]
    command = tyro.cli(_command_for(entry.config, entry.tiny), args=arguments, prog=f"reverie train {family}")
    recipe = PolicyRecipe(
        family,
        command.model,
        command.cloning,
        command.trainer,
        command.backbone,
        command.freeze_backbone,
        command.start,
    )
    data, *more = _open(command.threads, command.data, *command.more)
    fit_policy(data, recipe, command.out, more=more, restart=command.restart)
    print(command.out)


def train_grounding(arguments: Sequence[str]) -> None:
    command = tyro.cli(GroundingCommand, args=arguments, prog="reverie train grounding")
    recipe = GroundingRecipe(command.model, command.cloning, command.trainer)
    fit_grounding(_open(command.threads, command.data)[0], recipe, command.out, restart=command.restart)
    print(command.out)


def train_world(arguments: Sequence[str]) -> None:
    command = tyro.cli(WorldCommand, args=arguments, prog="reverie train world")
    data, *more = _open(command.threads, command.data, *command.more)
    training = WorldTraining(
        trainer=command.trainer,
        data=command.sequences,
        unet=command.unet,
        start=command.start,
        more_share=command.more_share,
    )
    fit_world(data, command.out, training, more=more, restart=command.restart)
    print(command.out)


def train_judge(arguments: Sequence[str]) -> None:
    command = tyro.cli(JudgeCommand, args=arguments, prog="reverie train judge")
    caches = _open(command.threads, command.data, *command.more)
    recipe = FrameJudgeRecipe(
        network=command.network,
        bags=command.bags,
        trainer=command.trainer,
        backbone=command.backbone,
        start=command.start,
    )
    fit_frame_judge(caches, recipe, command.out, restart=command.restart)
    print(command.out)


def train_pose_judge(arguments: Sequence[str]) -> None:
    command = tyro.cli(PoseJudgeCommand, args=arguments, prog="reverie train pose_judge")
    recipe = PoseJudgeRecipe(network=command.network, trainer=command.trainer)
    fit_pose_judge(_open(command.threads, command.data, *command.more), recipe, command.out, restart=command.restart)
    print(command.out)


def _command_for(config: type[Any], default: Any) -> type[Any]:
    """PolicyCommand with the family's own configuration as `model`, so that its options are listed and checked."""
    from dataclasses import make_dataclass

    return make_dataclass(
        "PolicyCommand", [("model", config, field(default_factory=lambda: replace(default)))],
        bases=(PolicyCommand,), frozen=True, kw_only=True,
    )  # fmt: skip


def _open(threads: int, *data: Path) -> list[FrameCache]:
    if threads:
        torch.set_num_threads(threads)
    return [open_cache(folder) for folder in data]


TRAINABLE: Mapping[str, Callable[[Sequence[str]], None]] = {
    **{name: (lambda arguments, name=name: train_policy(name, arguments)) for name in LEARNED},  # type: ignore[misc]
    "grounding": train_grounding,
    "world": train_world,
    "judge": train_judge,
    "pose_judge": train_pose_judge,
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(f"{__doc__}\nMODEL is one of: {', '.join(TRAINABLE)}. `reverie train MODEL --help` lists its options.")
        return
    if given[0] not in TRAINABLE:
        raise unknown_name("model to train", given[0], list(TRAINABLE))
    TRAINABLE[given[0]](given[1:])
