"""RLDS data sets (TFDS folders of TFRecord files) as episodes.

features.json says what is stored and in which shape; it does not say units, signs, frames or rates (and what its texts say
may be wrong: Bridge's call pose deltas "joint velocities"). Those are a `Convention`, known by the data set's name.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, CameraSpec, Episode, Observations, ObservationSpec, ReverieError, unknown_name
from reverie.data.metadata import read_json
from reverie.data.pixels import decode_rgb, decode_stack
from reverie.data.tfds_features import Leaf, numbers, read_features, texts
from reverie.data.tfrecord import Value, parse_example, read_records

CAMERAS_LOOKED_AT = 100  # episodes whose first frames tell which cameras are there
_STEPS = "steps/"


@dataclass(frozen=True)
class Convention:
    """What the numbers of one data set mean. The two functions turn stored numbers into ours (gripper 0 closed, 1 open).

    Names are those under `steps/`.
    """

    action_spec: ActionSpec
    measured: tuple[str, ...]
    instruction: str = "language_instruction"
    action: str = "action"
    state: str = "observation/state"
    to_actions: Callable[[NDArray[Any]], NDArray[Any]] = lambda values: values
    to_measured: Callable[[NDArray[Any]], NDArray[Any]] = lambda values: values
    notes: Mapping[str, Any] = field(default_factory=dict)


_POSE = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")

BRIDGE = Convention(
    action_spec=ActionSpec(
        names=_POSE,
        units=("m", "m", "m", "rad", "rad", "rad", "1"),
        modes=("delta", "delta", "delta", "delta", "delta", "delta", "absolute"),
        frame="base",
        rotation="rpy",
        gripper="closed0_open1",
        control_hz=5.0,
    ),
    measured=_POSE,
    notes={"gripper": "stored 0 closed, 1 open: unchanged"},
)

CONVENTIONS: dict[str, Convention] = {"bridge_dataset": BRIDGE}
"""By the name in dataset_info.json."""


def read_rlds(src: Path | str, convention: Convention | None = None) -> Iterator[Episode]:
    """The episodes of a TFDS version folder (with features.json, or the folder above it), in the order of its files.

    Every step has a frame and an action, so F = N = T. Cameras that are black in the first frames of every episode looked
    at are left out. Success is unknown (None): RLDS demonstrations are not labelled.
    Errors: ReverieError for damaged files, an unknown data set, or counts that differ from dataset_info.json.
    """
    src = _version_folder(Path(src))
    features = read_features(src / "features.json")
    info = read_json(src / "dataset_info.json", "give the version folder of a TFDS data set")
    if convention is None:
        if info["name"] not in CONVENTIONS:
            raise unknown_name("RLDS data set (give a Convention for it)", info["name"], list(CONVENTIONS))
        convention = CONVENTIONS[info["name"]]
    splits = {split["name"]: _files(src, info["name"], split) for split in info["splits"]}
    splits = {name: files for name, files in splits.items() if files}
    if not splits:
        raise ReverieError(f"{src}: found no TFRecord file, expected those of {info['name']}; copy the data set again")
    cameras = _cameras(features, [f for files in splits.values() for f in files])
    reader = _Reader(info["name"], features, convention, cameras)
    return (episode for split, files in splits.items() for episode in reader.split(split, files))


def _version_folder(src: Path) -> Path:
    """The newest version where the folder above is given."""
    versions = sorted(path.parent for path in src.glob("*/features.json"))
    return versions[-1] if versions and not (src / "features.json").is_file() else src


def _files(src: Path, name: str, split: Mapping[str, Any]) -> dict[Path, int]:
    """File -> number of episodes. Empty for a split that is not on disk at all."""
    counts = [int(n) for n in split["shardLengths"]]
    paths = [src / f"{name}-{split['name']}.tfrecord-{i:05d}-of-{len(counts):05d}" for i in range(len(counts))]
    there = [path for path in paths if path.is_file()]
    if there and len(there) < len(paths):
        lacking = next(path for path in paths if not path.is_file())
        raise ReverieError(
            f"{lacking}: found no such file, expected all {len(paths)} of the split; copy the data set again"
        )
    return dict(zip(there, counts, strict=False))


def _cameras(features: Mapping[str, Leaf], files: list[Path]) -> tuple[str, ...]:
    """Image leaves that show anything. (`has_image_*` of the episode metadata is not to be trusted.)"""
    names = [name for name, leaf in features.items() if leaf.kind == "image" and name.startswith(_STEPS)]
    alive: set[str] = set()
    looked = 0
    for path in files:
        for record in read_records(path):
            example = parse_example(record, str(path))
            firsts = {n: v[0] for n in names if isinstance(v := example.get(n), list) and v}
            alive |= {n for n, cell in firsts.items() if n not in alive and decode_rgb(cell, f"{path}, {n}").any()}
            looked += 1
            if looked == CAMERAS_LOOKED_AT or len(alive) == len(names):
                return tuple(sorted(alive))
    return tuple(sorted(alive))


@dataclass(frozen=True)
class _Reader:
    name: str
    features: Mapping[str, Leaf]
    convention: Convention
    cameras: tuple[str, ...]

    def split(self, split: str, files: Mapping[Path, int]) -> Iterator[Episode]:
        for path, count in files.items():
            number = -1
            for number, record in enumerate(read_records(path)):
                where = f"{path}, episode {number}"
                yield self.episode(parse_example(record, where), where, split, f"{path.name}/{number}")
            if number + 1 != count:
                raise ReverieError(
                    f"{path}: found {number + 1} episodes, expected {count} as dataset_info.json says; truncated"
                )

    def episode(self, example: Mapping[str, Value], where: str, split: str, source_id: str) -> Episode:
        convention = self.convention
        hz = convention.action_spec.control_hz
        actions = convention.to_actions(self.numbers(example, convention.action, where))
        instruction = texts(example, _STEPS + convention.instruction, where)[0]
        images = {n.rsplit("/", 1)[-1]: self.images(example, n, where) for n in self.cameras}
        steps = np.arange(len(actions), dtype=np.int64)
        return Episode(
            observations=Observations(
                images=images,
                time_s=steps / hz,
                instructions=(instruction,) * len(steps),
                measured=convention.to_measured(self.numbers(example, convention.state, where)).astype(np.float32),
            ),
            frame_steps=steps,
            actions=actions.astype(np.float32),
            observation_spec=ObservationSpec(
                cameras=tuple(CameraSpec(n, *v.shape[1:3]) for n, v in images.items()), measured=convention.measured
            ),
            action_spec=convention.action_spec,
            instruction=instruction,
            provenance=self.provenance(example, split, source_id, len(actions) / hz),
        )

    def numbers(self, example: Mapping[str, Value], name: str, where: str) -> NDArray[Any]:
        leaf = self.features.get(_STEPS + name)
        if leaf is None:
            raise ReverieError(f"{where}: found no feature {_STEPS + name!r}, expected one of {sorted(self.features)}")
        return numbers(example, _STEPS + name, leaf, where)

    def images(self, example: Mapping[str, Value], name: str, where: str) -> NDArray[np.uint8]:
        cells = example.get(name)
        return decode_stack(cells if isinstance(cells, list) else [], f"{where}, {name}")

    def provenance(self, example: Mapping[str, Value], split: str, source_id: str, horizon_s: float) -> dict[str, Any]:
        known: dict[str, Any] = {
            "source": self.name,
            "source_id": source_id,
            "split": split,
            "horizon_s": horizon_s,
            **self.convention.notes,
        }
        for name, leaf in self.features.items():
            if leaf.kind == "text" and not leaf.per_step and name in example:
                known[name.rsplit("/", 1)[-1]] = texts(example, name, source_id)[0]
        return known
