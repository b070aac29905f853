"""From a data set to a checkpoint of the video world: with pose map for the tabletop arm and for calibrated data, else without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.calibration.calibration import Calibration
from reverie.checkpoints import save
from reverie.core import ReverieError, seed_for
from reverie.data import FrameCache
from reverie.data.held_out import own_split
from reverie.embodiments import panda
from reverie.training.augmentation import Augmentation, Augmented
from reverie.training.commands import absolute_commands, commanded_states, relative_actions
from reverie.training.config import TrainerConfig
from reverie.training.dreaming import DreamingConfig, DreamingSource
from reverie.training.mixing import Mixed
from reverie.training.receipts import parents, shown
from reverie.training.source import Source
from reverie.training.starts import belongs
from reverie.training.trainer import Trainer, discard
from reverie.world_model.checkpoint import load_world, world_checkpoint
from reverie.world_model.model import TileModel, TileModelConfig
from reverie.world_model.network import UNetConfig
from reverie.world_model.robots import FILE, GENERIC, Robot, robot_named

WORLD_TRAINER = TrainerConfig(
    samples=12_000, batch_size=4, learning_rate=1e-3, warmup_samples=400, ema=0.998, validate_every=2_000, state_every=400,
    log_every=100,
)  # fmt: skip
"""A sample is a sequence of `DreamingConfig.length` generated frames."""


@dataclass(frozen=True)
class WorldTraining:
    """`start`: a checkpoint to go on from (fine-tuning). `robot`: "panda" (the tabletop's), "file" (calibrated data), "generic", or
    "auto": what the data are.
    `more_share`: how much of the training comes from further data sets, all together. `augmentation`: for data without a
    pose map only."""

    trainer: TrainerConfig = WORLD_TRAINER
    data: DreamingConfig = field(default_factory=DreamingConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    robot: str = "auto"
    start: Path | None = None
    more_share: float = 0.5
    augmentation: Augmentation | None = None


def fit_world(
    cache: FrameCache,
    out: Path,
    config: WorldTraining,
    *,
    more: Sequence[FrameCache] = (),
    dreamt: Sequence[FrameCache] = (),
    restart: bool = False,
    quiet: bool = False,
) -> dict[str, float]:
    """Train and write the checkpoint at `out`; returns the last validation. `more`: further data of the same specs.
    `dreamt`: what a video world made of any of them, to start sequences from."""
    if restart:
        discard(out)
    name = _robot(cache, config.robot)
    robot = robot_named(name, cache.action_spec, cache.observation_spec, cache.calibration)
    torch.manual_seed(seed_for("world", config.trainer.seed))
    model = _model(cache, config, robot)
    model.rig = robot.rig
    of = _dreamt_from((cache, *more), dreamt)
    source: Source = DreamingSource(cache, robot, config.data, of[0])
    if more:
        others = {f"more_{i}": DreamingSource(c, robot, config.data, of[i + 1]) for i, c in enumerate(more)}
        shares = {"main": 1 - config.more_share, **dict.fromkeys(others, config.more_share / len(more))}
        source = Mixed({"main": source, **others}, shares, config.trainer.seed)
    if config.augmentation is not None:
        if robot.conditioner is not None:
            raise ReverieError("augmentation would part the frames from their pose map: leave it out for this robot")
        source = Augmented(source, config.augmentation, config.trainer.seed)
    specs = (cache.observation_spec, cache.action_spec)
    told = cache.calibration if name == FILE else None
    _check_alike(told, more)

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:
        receipt = {
            **receipt,
            "data": [c.path.name for c in (cache, *more)],
            "dreamt": [c.path.name for c in dreamt],
            **shown((cache, *more)),
            "sequences_of": config.data.length,
            **parents(start=config.start),
        }
        save(folder, world_checkpoint(model, weights, name, specs, receipt, told), precision="float16")

    return Trainer(model, source, config.trainer, out, export, quiet).run()


def _dreamt_from(recorded: Sequence[FrameCache], dreamt: Sequence[FrameCache]) -> list[list[FrameCache]]:
    """For every recorded data set the dreamt ones that were made of it."""
    lost = next((d for d in dreamt if not any(belongs(cache, d) for cache in recorded)), None)
    if lost is not None:
        raise ReverieError(
            f"{lost.path.parent}: was not dreamt from any of the data sets of this training; add the one that `reverie data "
            "dream` was given"
        )
    return [[d for d in dreamt if belongs(cache, d)] for cache in recorded]


def _check_alike(told: Calibration | None, more: Sequence[FrameCache]) -> None:
    """Cameras that stand elsewhere would be drawn wrong. Errors: ReverieError that names the data set."""
    for cache in more if told is not None else ():
        if cache.calibration is None or cache.calibration.to_dict() != told.to_dict():  # type: ignore[union-attr]
            raise ReverieError(
                f"{cache.path.parent}: is not calibrated as the first data set is, and one pose map is drawn for all: train on one "
                "of them, or with --robot generic"
            )


def _robot(cache: FrameCache, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    ours = cache.action_spec.names == panda.ACTION_SPEC.names and cache.observation_spec.commanded == panda.STATE_NAMES
    return panda.NAME if ours else FILE if cache.calibration is not None else GENERIC


def _model(cache: FrameCache, config: WorldTraining, robot: Robot) -> TileModel:
    if config.start is not None:
        return load_world(config.start).model.train()
    sizes = {(c.height, c.width) for c in cache.observation_spec.cameras}
    if len(sizes) != 1:
        raise ReverieError(f"the cameras have different sizes {sorted(sizes)}: resize them to one size first")
    height, width = sizes.pop()
    if height % 16 or width % 16:
        raise ReverieError(f"frames are {height}x{width}: height and width must be multiples of 16, resize them first")
    states, absolute = commanded_states(cache, robot), () if robot.logged else absolute_commands(cache.action_spec)
    model = TileModel(
        TileModelConfig(
            n_views=len(cache.observation_spec.cameras),
            height=height,
            width=width,
            action_dim=cache.action_spec.action_dim,
            frame_every=cache.observation_spec.frame_every,
            state_dim=states.shape[1],
            calibrated=robot.conditioner is not None,
            absolute=absolute,
            commands_at=robot.commands_at,
            unet=config.unet,
        )
    )
    _fit_statistics(model, cache, states)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _fit_statistics(model: TileModel, cache: FrameCache, states: NDArray[np.float32]) -> None:
    """From every episode that the data set does not hold out itself."""
    actions = relative_actions(cache, states, model.config.absolute, model.config.commands_at)
    rows = [np.repeat(~own_split(cache), np.diff(o)) for o in (cache.action_offsets, cache.frame_offsets)]
    model.fit_statistics(actions[rows[0]], states[rows[1]])
