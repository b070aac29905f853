"""`reverie train MODEL`: fit a policy of the catalog, the grounded backbone that they can begin with, a world or a judge.

    reverie train grounding --data data/mixed --out checkpoints/grounding
    reverie train vla --data data/mixed --backbone checkpoints/grounding --out checkpoints/vla
    reverie train vla --data data/mixed --processes 2 --success.every 50000 --out checkpoints/vla
    reverie train vla --data data/mine --start checkpoints/vla --freeze all --lora.rank 8 --out checkpoints/mine
    reverie train world --data data/mixed --out checkpoints/world
    reverie data dream data/mixed --world checkpoints/world --out data/dreamt
    reverie train judge --data data/mixed --more data/dreamt --backbone checkpoints/grounding --out checkpoints/judge

The same command again goes on where it stopped. On a cluster start it with `torchrun` or `accelerate launch`
(`torchrun --nnodes 2 --nproc-per-node 8 -m reverie.cli.main train ...`); every process must see the same files.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from reverie.core import unknown_name
from reverie.data.cache import FrameCache, open_cache
from reverie.judges.network import FrameJudgeConfig
from reverie.judges.pose_only import PoseJudgeConfig
from reverie.policies.catalog import LEARNED
from reverie.training.adapters import Lora
from reverie.training.behaviour_cloning import CloningConfig
from reverie.training.closed_loop import SuccessConfig
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig
from reverie.training.fit import GroundingRecipe, PolicyRecipe, fit_grounding, fit_policy
from reverie.training.fit_judge import FrameJudgeRecipe, PoseJudgeRecipe, fit_frame_judge, fit_pose_judge
from reverie.training.fit_world import WORLD_TRAINER, WorldTraining, fit_world
from reverie.training.grounding import GroundingTask
from reverie.training.judging import BagConfig
from reverie.training.launch import check_processes, is_launched, launch
from reverie.training.team import first_one_first
from reverie.world_model.network import UNetConfig


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every training takes."""

    data: Path
    """The data set's folder."""
    out: Path
    """Where the checkpoint goes, and what is needed to go on after a kill."""
    processes: int = 1
    """So many train together on this machine, each on its share of every batch and of the cores, or on its own GPU."""
    threads: int = 0
    """Of each process; 0: its share of the cores. 1 where other work runs beside."""
    restart: bool = False
    """Discard what an earlier training left in `out`."""


@dataclass(frozen=True, kw_only=True)
class PolicyCommand(Command):
    """A policy that imitates the demonstrations."""

    model: Any
    more: tuple[Path, ...] = ()
    """Further data sets of the same robot."""
    backbone: Path | None = None
    """A grounding checkpoint to begin with."""
    start: Path | None = None
    """A policy of this family and configuration to fine-tune."""
    freeze: tuple[str, ...] = ()
    """Names of modules whose weights stay as they are ("encoder.backbone"); "all": everything but adapters."""
    lora: Lora = field(default_factory=Lora)
    success: SuccessConfig = field(default_factory=SuccessConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=TrainerConfig)
    cloning: CloningConfig = field(default_factory=CloningConfig)


@dataclass(frozen=True, kw_only=True)
class GroundingCommand(Command):
    """The visual backbone, on "where is the thing you named?"; the data must hold object positions."""

    more: tuple[Path, ...] = ()
    """Further data sets of the same robot; one that is named twice is drawn twice as often."""
    start: Path | None = None
    """A checkpoint whose backbone to go on from."""
    model: GroundingTask = field(default_factory=GroundingTask)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=TrainerConfig)
    cloning: CloningConfig = field(default_factory=lambda: GroundingRecipe().cloning)


@dataclass(frozen=True, kw_only=True)
class WorldCommand(Command):
    """The video world. A sample is a sequence of so many generated frames."""

    more: tuple[Path, ...] = ()
    """Further data sets of the same robot."""
    more_share: float = WorldTraining.more_share
    """How much of the training comes from them, all together."""
    dreamt: tuple[Path, ...] = ()
    """What `reverie data dream` made of any of them with a world from before: sequences also start from those frames."""
    start: Path | None = None
    """A world to fine-tune."""
    robot: Literal["auto", "panda", "file", "generic"] = "auto"
    """Whose pose map: of the tabletop's arm, of the robot that the data were calibrated with, none; auto: what the data are."""
    sequences: DreamingConfig = field(default_factory=DreamingConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = WORLD_TRAINER


@dataclass(frozen=True, kw_only=True)
class JudgeCommand(Command):
    """A judge that reads frames, from episode labels alone."""

    more: tuple[Path, ...] = ()
    """Further episodes, such as `reverie data dream` makes: a judge of generated frames must have seen some."""
    backbone: Path | None = None
    """A checkpoint that holds a grounded backbone."""
    start: Path | None = None
    """A judge to adapt."""
    network: FrameJudgeConfig = field(default_factory=FrameJudgeConfig)
    bags: BagConfig = field(default_factory=BagConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=lambda: FrameJudgeRecipe().trainer)


@dataclass(frozen=True, kw_only=True)
class PoseJudgeCommand(Command):
    """The control of every judge: it sees commanded poses and no frame."""

    more: tuple[Path, ...] = ()
    """Further data sets; give it every recorded one that the judge of frames gets."""
    network: PoseJudgeConfig = field(default_factory=PoseJudgeConfig)
    trainer: tyro.conf.OmitArgPrefixes[TrainerConfig] = field(default_factory=lambda: PoseJudgeRecipe().trainer)


def train_policy(family: str, command: PolicyCommand, caches: list[FrameCache]) -> None:
    recipe = PolicyRecipe(
        family,
        command.model,
        command.cloning,
        command.trainer,
        backbone=command.backbone,
        start=command.start,
        freeze=command.freeze,
        lora=command.lora,
        success=command.success,
    )
    fit_policy(caches[0], recipe, command.out, more=caches[1:], restart=command.restart)


def train_grounding(command: GroundingCommand, caches: list[FrameCache]) -> None:
    recipe = GroundingRecipe(command.model, command.cloning, command.trainer, command.start)
    fit_grounding(caches[0], recipe, command.out, more=caches[1:], restart=command.restart)


def train_world(command: WorldCommand, caches: list[FrameCache]) -> None:
    training = WorldTraining(
        trainer=command.trainer,
        data=command.sequences,
        unet=command.unet,
        robot=command.robot,
        start=command.start,
        more_share=command.more_share,
    )
    recorded = 1 + len(command.more)
    more, dreamt = caches[1:recorded], caches[recorded:]
    fit_world(caches[0], command.out, training, more=more, dreamt=dreamt, restart=command.restart)


def train_judge(command: JudgeCommand, caches: list[FrameCache]) -> None:
    recipe = FrameJudgeRecipe(
        network=command.network,
        bags=command.bags,
        trainer=command.trainer,
        backbone=command.backbone,
        start=command.start,
    )
    fit_frame_judge(caches, recipe, command.out, restart=command.restart)


def train_pose_judge(command: PoseJudgeCommand, caches: list[FrameCache]) -> None:
    recipe = PoseJudgeRecipe(network=command.network, trainer=command.trainer)
    fit_pose_judge(caches, recipe, command.out, restart=command.restart)


def _command_for(config: type[Any], default: Any) -> type[Any]:
    """PolicyCommand with the family's own configuration as `model`, so that its options are listed and checked."""
    return make_dataclass(
        "PolicyCommand", [("model", config, field(default_factory=lambda: replace(default)))],
        bases=(PolicyCommand,), namespace={"__doc__": PolicyCommand.__doc__}, frozen=True, kw_only=True,
    )  # fmt: skip


TRAINABLE: Mapping[str, tuple[type[Any], Callable[[Any, list[FrameCache]], None]]] = {
    **{name: (_command_for(e.config, e.tiny), partial(train_policy, name)) for name, e in LEARNED.items()},
    "grounding": (GroundingCommand, train_grounding),
    "world": (WorldCommand, train_world),
    "judge": (JudgeCommand, train_judge),
    "pose_judge": (PoseJudgeCommand, train_pose_judge),
}
"""name -> (its options, what trains it)"""


def main(arguments: Sequence[str] | None = None) -> None:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(f"{__doc__}\nMODEL is one of: {', '.join(TRAINABLE)}. `reverie train MODEL --help` lists its options.")
        return
    if given[0] not in TRAINABLE:
        raise unknown_name("model to train", given[0], list(TRAINABLE))
    options, train = TRAINABLE[given[0]]
    command = tyro.cli(options, args=given[1:], prog=f"reverie train {given[0]}")
    check_processes(command.processes)
    caches = _open(command)
    if command.processes > 1 and not is_launched():
        launch(command.processes, main, given)
    else:
        train(command, caches)
    if not is_launched():
        print(command.out)


def _open(command: Any) -> list[FrameCache]:
    """Frame caches are built once, by the process that is first, or starts the others."""
    if command.threads:
        torch.set_num_threads(command.threads)
    with first_one_first():
        folders = (command.data, *getattr(command, "more", ()), *getattr(command, "dreamt", ()))
        return [open_cache(folder) for folder in folders]
