"""From data sets to a judge's checkpoint: training, calibration on held-out episodes, and what `reverie train` calls."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reverie.checkpoints import load, save
from reverie.data.cache import FrameCache
from reverie.data.recordings import recorded_episodes
from reverie.judges.build import build_network
from reverie.judges.calibration import calibrated
from reverie.judges.errors import cross_fitted
from reverie.judges.frames import FrameJudge, frame_judge_checkpoint, frame_judge_from
from reverie.judges.holding import HoldRule, hold
from reverie.judges.network import FrameJudgeConfig, FrameJudgeNetwork
from reverie.judges.pose_only import (
    POSE_NAMES,
    PoseJudge,
    PoseJudgeConfig,
    PoseJudgeShapes,
    PoseNetwork,
    pose_judge_checkpoint,
    pose_judge_from,
)
from reverie.training.config import TrainerConfig
from reverie.training.judging import BagConfig, Bags, Trajectories, is_dreamt
from reverie.training.receipts import parents
from reverie.training.text_table import prepare
from reverie.training.trainer import Trainer, discard


def _trainer(samples: int, batch_size: int, rate: float) -> TrainerConfig:
    every = max(samples // 6, 1)
    return TrainerConfig(
        samples, batch_size, learning_rate=rate, warmup_samples=samples // 15, validate_every=every, state_every=every
    )


@dataclass(frozen=True)
class FrameJudgeRecipe:
    """A complete training. backbone: a checkpoint that holds a grounding backbone (None: from nothing, which needs far
    more data). start: a judge to go on from, which is adaptation; its network stays, except that `network.freeze` counts."""

    network: FrameJudgeConfig = field(default_factory=FrameJudgeConfig)
    bags: BagConfig = field(default_factory=BagConfig)
    trainer: TrainerConfig = field(default_factory=lambda: _trainer(24_000, 16, 7e-4))
    rule: HoldRule = field(default_factory=HoldRule)
    backbone: Path | None = None
    start: Path | None = None
    name: str = "frames"


@dataclass(frozen=True)
class PoseJudgeRecipe:
    network: PoseJudgeConfig = field(default_factory=PoseJudgeConfig)
    trainer: TrainerConfig = field(default_factory=lambda: _trainer(20_000, 32, 1e-3))
    validation_fraction: float = 0.05
    name: str = "pose_only"


def fit_frame_judge(
    caches: Sequence[FrameCache], recipe: FrameJudgeRecipe, out: Path, *, restart: bool = False, quiet: bool = False
) -> FrameJudge:
    """Train, or go on training, a judge in `out` on recorded and generated data sets alike; calibrated, saved, returned."""
    if restart:
        discard(out)
    torch.manual_seed(recipe.trainer.seed)
    network = _begin(caches[0].observation_spec.camera_names, recipe)
    source = Bags(caches, recipe.bags, network.shapes, recipe.trainer.seed)
    prepare(network, source.sentences(), caches[0].path if caches[0].path.is_dir() else None, quiet)
    data = {"data": [c.path.name for c in caches], "bags": asdict(recipe.bags), "n_entries": len(source.entries)}
    data |= parents(start=recipe.start, backbone=recipe.backbone)

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:
        judge = FrameJudge(FrameJudgeNetwork(network.config, network.shapes), recipe.rule, recipe.name)
        judge.network.load_state_dict(dict(weights))
        judge = _calibrated_frames(judge, caches, source.held_out_episodes)
        save(folder, frame_judge_checkpoint(judge, {**receipt, **data}))

    Trainer(network, source, recipe.trainer, out, export, quiet).run()
    return frame_judge_from(load(out), out)


def _begin(cameras: tuple[str, ...], recipe: FrameJudgeRecipe) -> FrameJudgeNetwork:
    if recipe.start is None:
        return build_network(recipe.network, cameras, recipe.backbone)
    started = frame_judge_from(load(recipe.start).expect("judge", recipe.start), recipe.start).network
    network = FrameJudgeNetwork(replace(recipe.network, grounding=started.config.grounding), started.shapes)
    network.load_state_dict(started.state_dict())
    return network


def _calibrated_frames(judge: FrameJudge, caches: Sequence[FrameCache], chosen: Sequence[list[int]]) -> FrameJudge:
    """Threshold and temperature on the held-out episodes, recorded and dreamt ones alike, as they are where a class is
    missing; and how often it errs on these."""
    scores, truths, dreamt = [], [], []
    for cache, episodes in zip(caches, chosen, strict=True):
        for episode in (recorded_episodes(cache, [i])[0] for i in episodes):
            if episode.success is not None:
                scores.append(hold(judge.read(episode).logits, episode.observations.time_s, judge.rule).score)
                truths.append(episode.success)
                dreamt.append(is_dreamt(episode.provenance))
    errors = cross_fitted(judge.rule, scores, truths, dreamt)
    rule = calibrated(judge.rule, scores, truths, dreamt) if 0 < sum(truths) < len(truths) else judge.rule
    return replace(judge, rule=rule, held_out_errors=errors)


def fit_pose_judge(
    caches: Sequence[FrameCache], recipe: PoseJudgeRecipe, out: Path, *, restart: bool = False, quiet: bool = False
) -> PoseJudge:
    """The control: commanded poses and labels, nothing else; calibrated, saved, returned. A fair one sees every recorded
    episode that the judge of frames sees."""
    if restart:
        discard(out)
    torch.manual_seed(recipe.trainer.seed)
    source = Trajectories(caches, POSE_NAMES, recipe.validation_fraction, recipe.trainer.seed)
    network = PoseNetwork(recipe.network, PoseJudgeShapes(POSE_NAMES, *source.unit()))

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:
        judge = PoseJudge(PoseNetwork(recipe.network, network.shapes), name=recipe.name)
        judge.network.load_state_dict(dict(weights))
        scores = [judge.score(source.trajectory(e)) for e in source.held_out]
        truths = [source.label(e) for e in source.held_out]
        if 0 < sum(truths) < len(truths):
            judge = replace(judge, rule=calibrated(judge.rule, scores, truths))
        save(folder, pose_judge_checkpoint(judge, {**receipt, "data": [c.path.name for c in caches]}))

    Trainer(network, source, recipe.trainer, out, export, quiet).run()
    return pose_judge_from(load(out), out)
