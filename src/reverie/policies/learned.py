"""LearnedPolicy: any network of the catalog behind the Policy contract, and how its checkpoint is written and read.

Observations -> batch -> transforms -> network -> transforms back -> chunk. Nothing is kept between calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie.checkpoints import Checkpoint, weights_hash
from reverie.core import ActionChunk, ActionSpec, Memory, Observations, ObservationSpec, content_hash
from reverie.core.source import source_hash
from reverie.nn.grounding import GroundingShapes
from reverie.transforms import Batch, Pipeline


@dataclass(frozen=True)
class PolicyShapes:
    """What the data decides about a network: cameras in order, sizes of one observed frame, how many actions, which of
    them are a gripper's opening between 0 and 1, and between which values normalised actions lie (empty: not measured)."""

    cameras: tuple[str, ...]
    action_dim: int
    gripper: tuple[int, ...]
    grounding: GroundingShapes
    action_low: tuple[float, ...] = ()
    action_high: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def stack_views(batch: Batch, shapes: PolicyShapes) -> Tensor:
    """Images [B, To, H, W, 3] of every camera -> [B, To, V, H, W, 3]."""
    return torch.stack([batch[f"images.{c}"] for c in shapes.cameras], dim=2)


def observation_batch(observations: Observations, spec: ObservationSpec) -> Batch:
    """Observations [B, To, ...] that hold what `spec` asks for -> the batch that transforms start from."""
    lead = observations.time_s.shape
    parts = [p for p in (observations.commanded, observations.measured) if p is not None]
    state = np.concatenate(parts, axis=-1) if parts else np.zeros((*lead, 0), np.float32)
    images = {f"images.{c}": observations.images[c] for c in spec.camera_names}
    return {**images, "state": state.astype(np.float32), "instructions": list(observations.instructions)}


def to_tensors(batch: Batch, device: torch.device | str = "cpu") -> Batch:
    """Arrays become tensors; instructions stay strings."""
    return {k: torch.as_tensor(v, device=device) if isinstance(v, np.ndarray) else v for k, v in batch.items()}


@dataclass
class LearnedPolicy:
    """`name` goes into trial keys. The fingerprint covers weights, configuration, transforms and specs."""

    name: str
    model: Any
    observation_spec: ObservationSpec
    action_spec: ActionSpec
    transforms: Pipeline
    n_action_steps: int
    config: Mapping[str, Any] = field(default_factory=dict)
    family: str = ""

    def __post_init__(self) -> None:
        self.model.eval()
        self._fingerprint = content_hash(
            {
                "weights": weights_hash(self.model.state_dict()),
                "config": self.config,
                "transforms": self.transforms.to_list(),
                "source": source_hash("reverie.policies", "reverie.nn", "reverie.transforms"),
                "specs": [self.observation_spec.to_dict(), self.action_spec.to_dict()],
            }
        )

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @torch.inference_mode()
    def infer(
        self, observations: Observations, memory: Memory | None, seeds: Sequence[int]
    ) -> tuple[ActionChunk, Memory | None]:
        device = next(self.model.parameters()).device
        batch = self.transforms.apply(observation_batch(observations, self.observation_spec))
        actions = self.model.predict(to_tensors(batch, device), list(seeds)).float().cpu().numpy()
        return ActionChunk(self.transforms.invert({"actions": actions})["actions"], self.action_spec), None


def policy_checkpoint(policy: LearnedPolicy, shapes: PolicyShapes, receipt: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        kind="policy",
        family=policy.family,
        name=policy.name,
        config=policy.config,
        shapes=shapes.to_dict(),
        observation_spec=policy.observation_spec.to_dict(),
        action_spec=policy.action_spec.to_dict(),
        transforms=tuple(policy.transforms.to_list()),
        receipt=receipt,
        weights=policy.model.state_dict(),
    )
