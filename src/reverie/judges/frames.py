"""The learned judge that reads frames: what it needs of an episode, its verdicts, and its checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.checkpoints import Checkpoint, load_weights
from reverie.checkpoints.configuration import from_values
from reverie.core import Episode, Verdict
from reverie.judges.errors import ERRORS, JudgeErrors
from reverie.judges.holding import HoldRule, frames_to_hold, hold, probability
from reverie.judges.network import FrameJudgeConfig, FrameJudgeNetwork, FrameJudgeShapes
from reverie.judges.version import version_of
from reverie.transforms import Batch, ImagesToFloat, LowerText, Pipeline, ResizeImages

FAMILY = "frames"


class Reading(NamedTuple):
    """What the network says of the F frames of one episode: success logits and progress, [F] each."""

    logits: NDArray[np.float64]
    progress: NDArray[np.float64]


@dataclass
class FrameJudge:
    """Success is a smoothed logit above the threshold for half a second, at any time; progress the most that was seen.

    held_out_errors: by kind of frames, as far as they were measured; they go into the receipt of every run it judges."""

    network: FrameJudgeNetwork
    rule: HoldRule = field(default_factory=HoldRule)
    name: str = FAMILY
    held_out_errors: Mapping[str, JudgeErrors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network.eval()
        self.transforms = transforms_of(self.network.shapes)

    @cached_property
    def version(self) -> str:
        return version_of(self.network, self.network.config, self.rule)

    @property
    def about(self) -> Mapping[str, Any]:
        return {"kind": FAMILY, ERRORS: {kind: e.to_dict() for kind, e in self.held_out_errors.items()}}

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e) for e in episodes]

    def _one(self, episode: Episode) -> Verdict:
        reason = self._unreadable(episode)
        if reason:
            return Verdict(self.name, self.version, None, reason=reason)
        reading, time_s = self.read(episode), episode.observations.time_s
        held = hold(reading.logits, time_s, self.rule)
        success = held.frame is not None
        return Verdict(
            self.name,
            self.version,
            success,
            success_time_s=float(time_s[held.frame]) if held.frame is not None else None,
            probability=probability(held.score, self.rule),
            progress=1.0 if success else float(min(reading.progress.max(), 0.99)),
        )

    def _unreadable(self, episode: Episode) -> str:
        """Why this episode cannot be judged; empty where it can."""
        missing = [c for c in self.network.shapes.cameras if c not in episode.observations.images]
        if missing:
            return f"cameras {missing} are missing: found {sorted(episode.observations.images)}"
        if not episode.instruction.strip():
            return "the episode has no instruction"
        wanted = frames_to_hold(self.rule.hold_s, episode.observations.time_s)
        if episode.n_frames < wanted + 1:
            return f"{episode.n_frames} frames are too few: success is held for {wanted} after the first"
        return ""

    @torch.inference_mode()
    def read(self, episode: Episode) -> Reading:
        """The network on every frame of an episode that it can read."""
        images = episode.observations.images
        batch: Batch = {f"images.{c}": images[c][None] for c in self.network.shapes.cameras}  # [1, F, H, W, 3]
        batch = self.transforms.apply({**batch, "instructions": [episode.instruction]})
        device = next(self.network.parameters()).device
        tensors = {k: torch.as_tensor(v, device=device) if isinstance(v, np.ndarray) else v for k, v in batch.items()}
        logits, progress = self.network(tensors)
        return Reading(*(v[0].double().cpu().numpy() for v in (logits, progress)))


def transforms_of(shapes: FrameJudgeShapes) -> Pipeline:
    """What happens to instructions and frames before the network, in training as in judging."""
    return Pipeline((LowerText(), ResizeImages(shapes.grounding.height, shapes.grounding.width), ImagesToFloat()))


def frame_judge_checkpoint(judge: FrameJudge, receipt: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        kind="judge",
        family=FAMILY,
        name=judge.name,
        config={"network": asdict(judge.network.config), "rule": asdict(judge.rule)},
        shapes=asdict(judge.network.shapes),
        transforms=tuple(judge.transforms.to_list()),
        receipt={**receipt, **{k: v for k, v in judge.about.items() if k == ERRORS}},
        weights=judge.network.state_dict(),
    )


def frame_judge_from(checkpoint: Checkpoint, where: Path | str) -> FrameJudge:
    config = from_values(FrameJudgeConfig, checkpoint.config["network"], where)
    network = FrameJudgeNetwork(config, from_values(FrameJudgeShapes, checkpoint.shapes, where))
    load_weights(network, checkpoint, where)
    errors = {kind: JudgeErrors(**counts) for kind, counts in checkpoint.receipt.get(ERRORS, {}).items()}
    return FrameJudge(network, from_values(HoldRule, checkpoint.config["rule"], where), checkpoint.name, errors)
