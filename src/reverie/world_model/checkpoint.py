"""A video world as a checkpoint: the network, and for which robot, cameras and commands it was trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from reverie.calibration.calibration import Calibration
from reverie.checkpoints import Checkpoint, load, load_weights, weights_hash
from reverie.core import ActionSpec, ObservationSpec, World, content_hash
from reverie.core.source import source_hash
from reverie.world_model.model import TileModel, TileModelConfig
from reverie.world_model.robots import robot_named
from reverie.world_model.world import VideoWorld

_SOURCES = ("reverie.world_model", "reverie.nn", "reverie.embodiments", "reverie.calibration")


@dataclass(frozen=True)
class LoadedWorld:
    model: TileModel
    robot: str
    observation_spec: ObservationSpec
    action_spec: ActionSpec
    fingerprint: str
    receipt: Mapping[str, Any]
    calibration: Calibration | None = None

    def world(self, starter: World, name: str = "video") -> VideoWorld:
        """A world that starts where `starter` does. Raises ReverieError if it shows or expects something else."""
        robot = robot_named(self.robot, self.action_spec, self.observation_spec, self.calibration)
        return VideoWorld(self.model, robot, starter, self.fingerprint, name)


def world_checkpoint(
    model: TileModel,
    weights: Mapping[str, Tensor],
    robot: str,
    specs: tuple[ObservationSpec, ActionSpec],
    receipt: Mapping[str, Any],
    calibration: Calibration | None = None,
) -> Checkpoint:
    """calibration: of a robot that was given as a file."""
    return Checkpoint(
        kind="world",
        family="tile",
        name="video",
        config=model.config.to_dict(),
        shapes={"robot": robot} | ({"calibration": calibration.to_dict()} if calibration else {}),
        observation_spec=specs[0].to_dict(),
        action_spec=specs[1].to_dict(),
        receipt=receipt,
        weights=dict(weights),
    )


def load_world(path: Path | str) -> LoadedWorld:
    checkpoint = load(path).expect("world", path)
    model = TileModel(TileModelConfig.from_dict(dict(checkpoint.config)))
    load_weights(model, checkpoint, path)
    told = checkpoint.shapes.get("calibration")
    return LoadedWorld(
        model.eval(),
        checkpoint.shapes["robot"],
        ObservationSpec.from_dict(dict(checkpoint.observation_spec)),
        ActionSpec.from_dict(dict(checkpoint.action_spec)),
        content_hash([weights_hash(checkpoint.weights), source_hash(*_SOURCES)]),
        checkpoint.receipt,
        None if told is None else Calibration.from_dict(told),
    )
