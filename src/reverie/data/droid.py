"""DROID samples as episodes: folders of annotation/<split>/<id>.json beside videos/<split>/<id>/<camera>.mp4.

Two layouts are known. `streams` (droid_subset): state and action streams at 15 Hz, videos of every third frame; actions are
absolute pose commands. `states` (droid_new_setup): states at the videos' 5 Hz and no actions, so action t is state t + 1.
(The new setup's video files play at 4 frames/s, the subset's at 5; 5 is what is documented, and is used for both.)
Gripper numbers are stored 0 open, 1 closed; ours are 1 minus them. Nothing here guesses an instruction or an outcome.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import ActionSpec, CameraSpec, Episode, Observations, ObservationSpec, ReverieError
from reverie.data.metadata import read_json
from reverie.data.video import read_all_frames

STREAM_HZ, VIDEO_HZ = 15.0, 5.0
FRAME_EVERY = 3
CAMERAS = ("exterior_1", "exterior_2", "wrist")
POSE = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")

SECOND_TAKES = frozenset({"0002", "0005", "0007", "0009", "0011", "0013"})
"""droid_new_setup shows six tasks twice, in takes that follow each other: the second of each pair is held out. The subset
has no such pairs (seven scenes, and four unrelated failures): its episodes get no split."""

_COMMANDED_NOTE = (
    "commanded at a frame is the last command before it; at reset, where there is none, the measured state"
)


def read_droid(src: Path | str, control_hz: float | None = None) -> Iterator[Episode]:
    """The episodes of one layout, or of a folder that holds both (then all at 5 Hz, as they must share a rate).

    control_hz: 15 (the streams' own) or 5; by default 15 for a folder of streams only. At 5 Hz an action is the last of
    the three commands before the next frame. Errors: ReverieError for a missing or damaged file.
    """
    src = Path(src)
    paths = sorted(src.glob("annotation/*/*.json")) or sorted(src.glob("*/annotation/*/*.json"))
    if not paths:
        raise ReverieError(f"{src}: found no annotation/<split>/<id>.json, expected a DROID sample; give its folder")
    annotations = {path: read_json(path, "copy the data set again") for path in paths}
    streams = all("action.cartesian_position" in value for value in annotations.values())
    hz = control_hz or (STREAM_HZ if streams else VIDEO_HZ)
    if hz not in ((STREAM_HZ, VIDEO_HZ) if streams else (VIDEO_HZ,)):
        raise ReverieError(
            f"{src}: control_hz is {hz}, expected {'15 or 5' if streams else '5 (these have no 15 Hz actions)'}"
        )
    return (_episode(path, value, hz) for path, value in annotations.items())


def action_spec(control_hz: float) -> ActionSpec:
    """Absolute poses in the base frame, gripper 1 open (stored as 1 closed, turned round here)."""
    return ActionSpec(
        names=POSE,
        units=("m", "m", "m", "rad", "rad", "rad", "1"),
        modes=("absolute",) * 7,
        frame="base",
        rotation="rpy",
        gripper="closed0_open1",
        control_hz=control_hz,
    )


def _episode(path: Path, value: Mapping[str, Any], hz: float) -> Episode:
    streams = "action.cartesian_position" in value
    images = _images(path, value)
    n_frames = len(next(iter(images.values())))
    measured, joints = (_stream_states if streams else _states)(path, value, n_frames)
    actions = _stream_actions(value) if streams else measured[1:]
    if streams and hz == VIDEO_HZ:
        actions = actions[FRAME_EVERY - 1 :: FRAME_EVERY][: n_frames - 1]
    every = FRAME_EVERY if streams and hz == STREAM_HZ else 1
    steps = np.arange(n_frames, dtype=np.int64) * every
    instruction = str(value["texts"][0]) if value.get("texts") else ""
    return Episode(
        observations=Observations(
            images=images,
            time_s=steps / hz,
            instructions=(instruction,) * n_frames,
            commanded=np.concatenate([measured[:1], actions[steps[1:] - 1]]),
            measured=measured,
            extras={"joint_position": joints},
        ),
        frame_steps=steps,
        actions=actions,
        observation_spec=ObservationSpec(
            cameras=tuple(CameraSpec(camera, *v.shape[1:3]) for camera, v in images.items()),
            commanded=POSE,
            measured=POSE,
            extras=("joint_position",),
            frame_every=every,
        ),
        action_spec=action_spec(hz),
        instruction=instruction,
        success=None if value.get("success") is None else bool(value["success"]),
        provenance=_provenance(path, value, streams),
    )


def _images(path: Path, value: Mapping[str, Any]) -> dict[str, NDArray[np.uint8]]:
    """Three videos of the new setup hold one frame more than there are states. The motion in the pictures fits that of
    the joints without a shift (correlation 0.5-0.7 against below 0.35), so it is the last one that is left over."""
    root, n_frames = path.parents[2], value["video_length"]
    images = {}
    for camera, entry in zip(CAMERAS, value["videos"], strict=True):
        video = root / entry["video_path"]
        found = read_all_frames(video)
        if not n_frames <= len(found) <= n_frames + 1:
            raise ReverieError(
                f"{video}: found {len(found)} frames, expected {n_frames} as {path.name} says; truncated: copy it again"
            )
        images[camera] = found[:n_frames]
    return images


def _opened(pose: Any, gripper: Any) -> NDArray[np.float32]:
    """[n, 6] and [n] (1 closed) -> [n, 7] (1 open)."""
    return np.concatenate([np.asarray(pose), 1.0 - np.asarray(gripper)[:, None]], axis=1).astype(np.float32)


def _stream_states(
    path: Path, value: Mapping[str, Any], n_frames: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measured pose [F, 7] and joints [F, 7] at the frames, every third of the stream."""
    pose = _opened(value["observation.state.cartesian_position"], value["observation.state.gripper_position"])
    joints = np.asarray(value["observation.state.joint_position"], dtype=np.float32)
    _check_length(path, len(pose[::FRAME_EVERY]), n_frames)
    return pose[::FRAME_EVERY], joints[::FRAME_EVERY]


def _states(path: Path, value: Mapping[str, Any], n_frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    states = np.asarray(value["states"], dtype=np.float64)
    _check_length(path, len(states), n_frames)
    return _opened(states[:, :6], states[:, 6]), np.asarray(value["joints"], dtype=np.float32)[:, :7]


def _stream_actions(value: Mapping[str, Any]) -> NDArray[np.float32]:
    return _opened(value["action.cartesian_position"], value["action.gripper_position"])


def _check_length(path: Path, n_states: int, n_frames: int) -> None:
    if n_states != n_frames:
        raise ReverieError(
            f"{path}: found {n_states} states for {n_frames} frames, expected as many; copy the file again"
        )


def _provenance(path: Path, value: Mapping[str, Any], streams: bool) -> dict[str, Any]:
    layout, source_split = path.parents[2].name, path.parent.name
    known = {
        "source": "droid",
        "source_id": f"{layout}/{source_split}/{path.stem}",
        "source_split": source_split,
        "gripper": "stored 0 open, 1 closed: replaced by 1 minus it",
        "commanded": _COMMANDED_NOTE,
    }
    if streams:
        return known | {"actions": "absolute pose commands of the 15 Hz stream", "raw_length": value["raw_length"]}
    split = "val" if path.stem in SECOND_TAKES else "train"
    return known | {"actions": "none recorded: action t is the state at frame t + 1", "split": split}
