"""The grounded backbone of any checkpoint that has one: pretrained alone, or inside a policy or a judge."""

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from reverie.checkpoints.configuration import from_values
from reverie.checkpoints.folder import Checkpoint, load
from reverie.core import ObservationSpec, ReverieError
from reverie.nn.grounding import GroundingConfig, GroundingShapes

PREFIXES = ("encoder.backbone.", "backbone.")
_CONFIGS = (("backbone",), ("encoder", "grounding"), ("network", "grounding"), ("grounding",))
"""Where a pretraining, a policy and a judge keep its configuration."""


Robot = tuple[tuple[str, ...], tuple[str, ...]]
"""Names of the cameras and of the numbers of the state."""


class Backbone(NamedTuple):
    """robot: cameras and names of the state that it was trained with (None: the checkpoint does not say); transforms: how its
    input was prepared, as checkpoints keep them."""

    config: GroundingConfig
    shapes: GroundingShapes
    weights: dict[str, Tensor]
    robot: Robot | None
    transforms: tuple[Mapping[str, Any], ...]


def load_backbone(path: Path | str) -> Backbone:
    """Errors: ReverieError if there is none in the checkpoint."""
    checkpoint = load(path)
    config, weights = _config(checkpoint), _weights(checkpoint)
    if config is None or not weights or "grounding" not in checkpoint.shapes:
        raise ReverieError(
            f"{path} ({checkpoint.kind} {checkpoint.family!r}) has no grounded backbone: give another checkpoint"
        )
    shapes = from_values(GroundingShapes, checkpoint.shapes["grounding"], path)
    robot = None
    if checkpoint.observation_spec:
        spec = ObservationSpec.from_dict(dict(checkpoint.observation_spec), str(path))
        robot = spec.camera_names, (*spec.commanded, *spec.measured)
    read = from_values(GroundingConfig, config, path)
    return Backbone(read, shapes, weights, robot, tuple(checkpoint.transforms))


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        found = {k.removeprefix(prefix): v for k, v in checkpoint.weights.items() if k.startswith(prefix)}
        if found:
            return found
    return {}


def _config(checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    found = (reduce(_entry, path, checkpoint.config) for path in _CONFIGS)
    return next((f for f in found if f), None)


def _entry(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    entry = config.get(name)
    return entry if isinstance(entry, Mapping) else {}
