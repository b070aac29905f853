"""The control beside every learned judge: it sees where the robot was told to go, and nothing else.

No image, no instruction. What it gets right can be read off the gripper; a judge of frames that is no better has not
looked at the objects. (A prototype's judge reached r .82 this way.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from reverie.checkpoints import Checkpoint, load_weights
from reverie.checkpoints.configuration import from_values
from reverie.core import Episode, Verdict
from reverie.judges.holding import HoldRule, probability
from reverie.judges.version import version_of
from reverie.nn.grounding_loss import Batch, Metrics, mean_of

FAMILY = "pose_only"
POSE_NAMES = ("x", "y", "z", "qw", "qx", "qy", "qz", "opening")


@dataclass(frozen=True)
class PoseJudgeConfig:
    width: int = 64
    dropout: float = 0.1


@dataclass(frozen=True)
class PoseJudgeShapes:
    """Names of the commanded state that are read, and how they are brought to unit size."""

    names: tuple[str, ...]
    offset: tuple[float, ...]
    scale: tuple[float, ...]


class PoseNetwork(nn.Module):
    """Three convolutions over time, then the mean and the maximum over time."""

    def __init__(self, config: PoseJudgeConfig, shapes: PoseJudgeShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        n, w = len(shapes.names), config.width
        self.offset: Tensor
        self.scale: Tensor
        self.register_buffer("offset", torch.tensor(shapes.offset), persistent=False)
        self.register_buffer("scale", torch.tensor(shapes.scale), persistent=False)
        self.convolutions = nn.Sequential(
            nn.Conv1d(n, w, 5, padding=2), nn.ReLU(),
            nn.Conv1d(w, w, 5, padding=2), nn.ReLU(),
            nn.Conv1d(w, w, 5, padding=2), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(2 * w, w), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(w, 1)
        )

    def forward(self, commanded: Tensor) -> Tensor:
        """[B, F, D] -> one logit per episode [B]"""
        x = ((commanded - self.offset) / self.scale).transpose(1, 2)  # [B, D, F]
        x = self.convolutions(x)
        return self.head(torch.cat([x.mean(-1), x.amax(-1)], dim=-1))[:, 0].float()  # type: ignore[no-any-return]

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: commanded [B, F, D], label [B] 0 or 1."""
        logits, label = self(batch["commanded"]), batch["label"]
        loss = F.binary_cross_entropy_with_logits(logits, label)
        return loss, {"accuracy": mean_of(((logits > 0) == (label > 0.5)).float(), torch.ones_like(label))}


@dataclass
class PoseJudge:
    """One logit per episode: no time of success, no progress."""

    network: PoseNetwork
    rule: HoldRule = field(default_factory=HoldRule)
    name: str = FAMILY

    def __post_init__(self) -> None:
        self.network.eval()

    @cached_property
    def version(self) -> str:
        return version_of(self.network, self.network.config, self.rule)

    def judge(self, episodes: Sequence[Episode]) -> list[Verdict]:
        return [self._one(e) for e in episodes]

    def _one(self, episode: Episode) -> Verdict:
        values = commanded_of(episode, self.network.shapes.names)
        if values is None:
            return Verdict(
                self.name, self.version, None, reason="the episode has no commanded poses of the expected names"
            )
        score = self.score(values)
        return Verdict(self.name, self.version, score > self.rule.threshold, probability=probability(score, self.rule))

    @torch.inference_mode()
    def score(self, commanded: NDArray[np.float32]) -> float:
        """The logit of a trajectory [F, D]."""
        return float(self.network(torch.as_tensor(commanded[None])))


def commanded_of(episode: Episode, names: Sequence[str]) -> NDArray[np.float32] | None:
    """[F, D], None where the episode does not have these."""
    have, values = episode.observation_spec.commanded, episode.observations.commanded
    if values is None or not set(names) <= set(have) or not len(values):
        return None
    return values[:, [have.index(n) for n in names]]


def pose_judge_checkpoint(judge: PoseJudge, receipt: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        kind="judge",
        family=FAMILY,
        name=judge.name,
        config={"network": asdict(judge.network.config), "rule": asdict(judge.rule)},
        shapes=asdict(judge.network.shapes),
        receipt=receipt,
        weights=judge.network.state_dict(),
    )


def pose_judge_from(checkpoint: Checkpoint, where: Path | str) -> PoseJudge:
    config = from_values(PoseJudgeConfig, checkpoint.config["network"], where)
    network = PoseNetwork(config, from_values(PoseJudgeShapes, checkpoint.shapes, where))
    load_weights(network, checkpoint, where)
    return PoseJudge(network, from_values(HoldRule, checkpoint.config["rule"], where), checkpoint.name)
