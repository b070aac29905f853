"""Episode -> the columns of its rows, at the control rate.

N actions make N + 1 rows. A row shows the newest frame that was taken by then (`frame_age` control steps ago; negative
before the first frame), so a picture is encoded once and its bytes are repeated. The last row repeats the last action
and has `action_valid` False. `observation.state` is the measured state where there is one, else the commanded state: it
is what other readers train on; ours are `observation.measured` and `observation.commanded`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reverie.core import Episode, ReverieError
from reverie.data.features import IMAGE_TYPE, Feature, feature_of, to_arrow
from reverie.data.layout import DEPTH, EXTRAS, IMAGES
from reverie.data.pixels import encode_png
from reverie.data.statistics import Histogram, Stats, histogram_of, stats_of

INDEX_FEATURES = {name: Feature("int64") for name in ("episode_index", "index", "task_index")}
"""Known only when the whole data set is written."""

SQUARABLE = 1e150
SUCCESS = Feature("int8", info={"values": {"1": "succeeded by now", "0": "not, or not yet", "-1": "unknown"}})


@dataclass(frozen=True)
class EpisodeColumns:
    """The columns of one episode with their features, and what statistics see: frames once, valid actions only."""

    features: Mapping[str, Feature]
    columns: Mapping[str, pa.Array]
    stats: Mapping[str, Stats]
    histograms: Mapping[str, Histogram]

    def table(self) -> pa.Table:
        """The columns as one Arrow table, a row per control step and one more."""
        return pa.table(dict(self.columns))


def is_depth_extra(name: str, values: NDArray[Any]) -> bool:
    """Whether an extra [F, H, W] is stored as 16-bit pictures, in mm."""
    return name.startswith(DEPTH) and values.dtype == np.uint16 and values.ndim == 3


def shown_frames(frame_steps: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    """[n_rows]: the number of the frame that each row shows."""
    newest = np.searchsorted(frame_steps, np.arange(n_rows), side="right") - 1
    return np.maximum(newest, 0).astype(np.int64)


def episode_columns(episode: Episode, *, with_images: bool = True) -> EpisodeColumns:
    """`with_images` False leaves the cameras out, as a writer of videos stores them elsewhere."""
    check_episode(episode)
    shown = shown_frames(episode.frame_steps, episode.n_steps + 1)
    frames, rows = frame_arrays(episode), row_arrays(episode, shown)
    features = {k: feature for k, (_, feature) in {**frames, **rows}.items()}
    columns = {k: to_arrow(v[shown], f) for k, (v, f) in frames.items()} | {
        k: to_arrow(v, f) for k, (v, f) in rows.items()
    }
    histograms: dict[str, Histogram] = {}
    for name, (pictures, feature) in picture_arrays(episode).items():
        histograms[name] = histogram_of(pictures)
        if with_images or feature.is_depth:
            features[name] = feature
            columns[name] = picture_column(pictures, shown)
        else:
            features[name] = Feature("video", feature.shape, feature.names)
    return EpisodeColumns(features, columns, row_stats(episode, frames, rows), histograms)


def check_episode(episode: Episode) -> None:
    """The observation spec must name what is there: other readers, and policies, go by the names."""
    spec, observations = episode.observation_spec, episode.observations
    if not episode.n_frames:
        raise ReverieError(f"episode {episode.instruction!r} has no frame: give at least the first observation")
    slashed = [name for name in (*observations.images, *observations.extras) if "/" in name]
    if slashed:
        raise ReverieError(f"cameras or extras {slashed} hold a '/', which LeRobotDataset forbids: use '.' or '_'")
    for camera in spec.cameras:
        shape = observations.images[camera.name].shape[1:3] if camera.name in observations.images else None
        if shape != (camera.height, camera.width):
            raise ReverieError(
                f"camera {camera.name!r}: the spec says {camera.height}x{camera.width}, the episode holds "
                f"{shape or sorted(observations.images)}; correct the spec or the images"
            )
    for part in ("commanded", "measured"):
        names, values = getattr(spec, part), getattr(observations, part)
        if names and (values is None or values.shape[1:] != (len(names),)):
            found = None if values is None else values.shape
            raise ReverieError(f"{part} state: the spec names {len(names)} numbers {names}, the episode holds {found}")


def frame_arrays(episode: Episode) -> dict[str, tuple[NDArray[Any], Feature]]:
    """What there is once a frame: arrays [F, ...]."""
    seen, spec = episode.observations, episode.observation_spec
    found: dict[str, tuple[NDArray[Any], Feature]] = {}
    for part in ("commanded", "measured"):
        values = getattr(seen, part)
        if values is not None:
            values = values.astype(np.float32)
            names = list(getattr(spec, part)) or None
            found[f"observation.{part}"] = (values, feature_of(values, names))
            found["observation.state"] = found[f"observation.{part}"]  # measured comes last and wins
    found["observation.time_s"] = (seen.time_s.astype(np.float64), Feature("float64"))
    for name, values in seen.extras.items():
        if not is_depth_extra(name, values) and values.size:
            found[EXTRAS + name] = (values, feature_of(values))
    return found


def row_arrays(episode: Episode, shown: NDArray[np.int64]) -> dict[str, tuple[NDArray[Any], Feature]]:
    """What there is once a row: arrays [N + 1, ...]."""
    n, spec = episode.n_steps, episode.action_spec
    rows = np.arange(n + 1, dtype=np.int64)
    last = episode.actions[-1:] if n else np.zeros((1, spec.action_dim))
    return {
        "action": (
            np.concatenate([episode.actions, last]).astype(np.float32),
            Feature("float32", (spec.action_dim,), list(spec.names)),
        ),
        "action_valid": (rows < n, Feature("bool")),
        "frame_age": (rows - episode.frame_steps[shown], Feature("int64")),
        "success": (success_rows(episode, rows), SUCCESS),
        "timestamp": ((rows / spec.control_hz).astype(np.float32), Feature("float32")),
        "frame_index": (rows, Feature("int64")),
    }


def success_rows(episode: Episode, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """A success of unknown time is certain in the last row only."""
    if episode.success is None:
        return np.full(len(rows), -1, dtype=np.int8)
    if not episode.success:
        return np.zeros(len(rows), dtype=np.int8)
    if episode.success_time_s is None:
        return np.where(rows == rows[-1], 1, -1).astype(np.int8)
    return (rows / episode.action_spec.control_hz >= episode.success_time_s - 1e-9).astype(np.int8)


def picture_arrays(episode: Episode) -> dict[str, tuple[NDArray[Any], Feature]]:
    """Cameras uint8 [F, H, W, 3] and depth maps uint16 [F, H, W]."""
    axes = ["height", "width", "channels"]
    found: dict[str, tuple[NDArray[Any], Feature]] = {
        IMAGES + camera: (images, Feature("image", images.shape[1:], axes))
        for camera, images in episode.observations.images.items()
    }
    for name, values in episode.observations.extras.items():
        if is_depth_extra(name, values) and values.size:
            info = {"is_depth_map": True, "unit": "mm"}
            found[EXTRAS + name] = (values, Feature("image", (*values.shape[1:], 1), axes, info))
    return found


def picture_column(pictures: NDArray[Any], shown: NDArray[np.int64]) -> pa.Array:
    """Pictures [F, ...] as PNG cells, one for each of the rows that `shown` [n] says they fill."""
    cells = pa.array([encode_png(p) for p in pictures], type=pa.binary()).take(pa.array(shown))
    return pa.StructArray.from_arrays([cells, pa.nulls(len(cells), pa.string())], fields=list(IMAGE_TYPE))


def row_stats(episode: Episode, frames: Mapping[str, Any], rows: Mapping[str, Any]) -> dict[str, Stats]:
    """Without features that hold numbers that are not finite, or whose squares are not: JSON has no such numbers, and a
    mean over the rest would mislead."""
    seen = {k: v for k, (v, _) in {**frames, **rows}.items()} | {"action": episode.actions}
    return {k: stats_of(v) for k, v in seen.items() if (np.abs(v.astype(np.float64)) < SQUARABLE).all() and len(v)}
