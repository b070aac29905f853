"""Grounding as a task of its own, over simulated scenes, before any action is learned: "where is the thing you named?", and
simple questions (`training.questions`)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.checkpoints import Checkpoint, load, load_weights, save
from reverie.checkpoints.backbone import Robot, load_backbone
from reverie.checkpoints.configuration import from_values
from reverie.core import Observations, ObservationSpec, ReverieError, stack_time
from reverie.nn.answers import AnswerHead
from reverie.nn.grounding import Grounded, GroundingBackbone, GroundingConfig
from reverie.nn.grounding_loss import GroundingWeights, grounding_loss
from reverie.nn.metrics import Batch, Metrics, mean_of
from reverie.policies.learned import PolicyShapes, observation_batch, stack_views, to_tensors
from reverie.training.questions import ANSWERS
from reverie.transforms import Pipeline

BOUND_TO_CAMERAS = ("view", "place", "locate.", "votes.", "into_state")
"""Weights of the backbone that belong to cameras and places, not to seeing: they do not carry over to other cameras."""


@dataclass(frozen=True)
class GroundingTask:
    backbone: GroundingConfig = field(default_factory=GroundingConfig)
    weights: GroundingWeights = field(
        default_factory=lambda: GroundingWeights(maps=1.0, positions=1.0, yaws=0.5, alone=0.3)
    )
    answers_weight: float = 0.5
    n_obs_steps: int = 1
    obs_stride: int = 1
    horizon: int = 1


class GroundingModel(nn.Module):
    """The backbone alone, with the grounding losses and a head that answers questions."""

    def __init__(self, config: GroundingTask, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        self.backbone = GroundingBackbone(config.backbone, shapes.grounding)
        self.answers = AnswerHead(config.backbone, shapes.grounding, len(ANSWERS))

    def forward(self, batch: Batch) -> tuple[Grounded, Tensor]:
        """What was found in the newest frame, and logits [B, len(ANSWERS)]."""
        found = self.backbone(stack_views(batch, self.shapes)[:, -1], batch["instructions"], batch["state"][:, -1])
        return found, self.answers(found)

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: `answer` [B], a place in ANSWERS or -1 where nothing was asked, beside what the grounding needs."""
        found, logits = self(batch)
        scale = self.shapes.grounding.position_scale_m
        loss, metrics = grounding_loss(found, batch, self.backbone.grid, scale, self.config.weights)
        asked = batch["answer"] >= 0
        entropy = mean_of(F.cross_entropy(logits, batch["answer"].clamp_min(0), reduction="none"), asked)
        right = mean_of((logits.argmax(1) == batch["answer"]).float(), asked)
        return loss + self.config.answers_weight * entropy.value, metrics | {"answers": entropy, "answered": right}


@dataclass(frozen=True)
class Grounder:
    """A pretrained backbone to look through: where are the named things, and what is the answer?"""

    model: GroundingModel
    observation_spec: ObservationSpec
    transforms: Pipeline

    @torch.inference_mode()
    def look(self, frames: Observations, offered: ObservationSpec, sentences: Sequence[str]) -> tuple[Grounded, Tensor]:
        """frames [B, ...] of a world that offers them -> what `GroundingModel` finds in each, told or asked a sentence."""
        shown = stack_time([frames.select(self.observation_spec, offered)])
        batch = self.transforms.apply(
            observation_batch(shown, self.observation_spec) | {"instructions": list(sentences)}
        )
        found, logits = self.model(to_tensors(batch))
        return found, logits


def open_grounding(path: Path | str) -> Grounder:
    """Errors: ReverieError for a checkpoint of another kind, or weights that do not fit."""
    checkpoint = load(path).expect("grounding", path)
    shapes = from_values(PolicyShapes, checkpoint.shapes, path)
    model = GroundingModel(from_values(GroundingTask, checkpoint.config, path), shapes)
    load_weights(model, checkpoint, path)
    spec = ObservationSpec.from_dict(dict(checkpoint.observation_spec), str(path))
    return Grounder(model.eval(), spec, Pipeline.from_list(checkpoint.transforms, path))


def save_backbone(path: Path, grounder: Grounder, receipt: Mapping[str, Any]) -> None:
    model = grounder.model
    save(
        path,
        Checkpoint(
            kind="grounding",
            family="backbone",
            name=path.name,
            config=asdict(model.config),
            shapes=model.shapes.to_dict(),
            observation_spec=grounder.observation_spec.to_dict(),
            transforms=tuple(grounder.transforms.to_list()),
            receipt=receipt,
            weights=model.state_dict(),
        ),
    )


def adopt_backbone(backbone: GroundingBackbone, path: Path, robot: Robot) -> list[str]:
    """Begin with the weights of a pretrained backbone, whatever checkpoint it is in; returns the names that were left as
    they are, because they belong to another robot's cameras. Anything else that does not fit is an error."""
    found, own = load_backbone(path), backbone.state_dict()
    weights = found.weights
    fits = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if found.robot != robot:
        fits = {k: v for k, v in fits.items() if not k.startswith(BOUND_TO_CAMERAS)}
    skipped = sorted((own.keys() | weights.keys()) - fits.keys())
    wrong = [k for k in skipped if not k.startswith(BOUND_TO_CAMERAS)]
    if wrong:
        raise ReverieError(
            f"the backbone in {path} has another configuration: {len(wrong)} weights differ, first {wrong[:4]}"
        )
    backbone.load_state_dict(own | fits)
    return skipped
