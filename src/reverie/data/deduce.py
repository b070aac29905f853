"""What a stranger's LeRobotDataset means, as far as its features tell.

It says names, sizes and rates. It does not say units, frames, modes or signs: the deduced spec assumes absolute joint
commands without a gripper, to look at the data with. Nothing is trained on a guess: `open_cache` and the importer ask for
the true specs (`given_specs`).
"""

from collections.abc import Mapping
from typing import Any

from reverie.core import ActionSpec, CameraSpec, ObservationSpec, ReverieError
from reverie.core.specs import Mode
from reverie.data.features import Feature
from reverie.data.layout import DEPTH, IMAGES
from reverie.data.metadata import DatasetInfo

STATE = "observation.state"
SUCCESS_COLUMNS = ("next.success", "success", "is_success")


def flat_names(feature: Feature, stem: str) -> tuple[str, ...]:
    """The names of a vector, whatever they are nested in; numbered where the feature gives none of that length."""

    def leaves(names: Any) -> list[str]:
        if isinstance(names, Mapping):
            return [leaf for value in names.values() for leaf in leaves(value)]
        if isinstance(names, list | tuple):
            return [leaf for value in names for leaf in leaves(value)]
        return [str(names)] if names is not None else []

    size, found = feature.shape[0], leaves(feature.names)
    return tuple(found) if len(set(found)) == size else tuple(f"{stem}_{i}" for i in range(size))


def camera_features(info: DatasetInfo) -> dict[str, str]:
    """camera -> feature. Depth videos are not cameras; their log quantisation is not decoded."""
    return {
        key.removeprefix(IMAGES).removeprefix("observation."): key
        for key, feature in info.features.items()
        if feature.is_picture and not feature.is_depth
    }


def extra_features(info: DatasetInfo) -> dict[str, str]:
    """Name -> feature of every other `observation.*` number and of depth pictures."""
    found = {
        key.removeprefix("observation."): key
        for key, feature in info.features.items()
        if feature.is_numeric and key.startswith("observation.") and key != STATE
    }
    depth = {
        DEPTH + key.removeprefix(IMAGES): key for key, f in info.features.items() if f.dtype == "image" and f.is_depth
    }
    return found | depth


def camera_spec(name: str, feature: Feature) -> CameraSpec:
    """Shapes are [H, W, C] or [C, H, W]; the names of the axes, else the sizes, tell which."""
    shape = feature.shape
    if len(shape) != 3:
        raise ReverieError(f"info.json: camera {name!r} has shape {list(shape)}, expected [height, width, channels]")
    axes = list(feature.names) if isinstance(feature.names, list | tuple) and len(feature.names) == 3 else []
    first = axes[0] in ("channel", "channels", "c") if axes else shape[0] in (1, 3) and shape[2] not in (1, 3)
    height, width = shape[1:] if first else shape[:2]
    return CameraSpec(name, height, width)


def deduce_specs(info: DatasetInfo) -> tuple[ObservationSpec, ActionSpec]:
    """Facts: names, sizes, rates. Guesses: units (""), modes, frame, rotation, gripper.

    Errors: ReverieError without a feature "action" of one axis, or for a camera without three.
    """
    action = info.features.get("action")
    if action is None or len(action.shape) != 1:
        raise ReverieError(
            f"info.json: found features {sorted(info.features)}, expected one named 'action' with one axis; "
            "rename the action feature"
        )
    cameras = camera_features(info)
    state = info.features.get(STATE)
    observation_spec = ObservationSpec(
        cameras=tuple(camera_spec(camera, info.features[key]) for camera, key in cameras.items()),
        measured=flat_names(state, "state") if state is not None else (),
        extras=tuple(extra_features(info)),
    )
    names = flat_names(action, "action")
    n = len(names)
    modes: tuple[Mode, ...] = tuple("absolute" for _ in names)
    return observation_spec, ActionSpec(names, ("",) * n, modes, "joint", "none", "none", info.fps)
