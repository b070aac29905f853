"""Collection, first half: one finished file per episode, beside where the data set will be.

An episode is written under a temporary name and renamed, its parquet last: a kill leaves it whole or absent. Many
processes may stage at once; the request that they work for lies beside the episodes. What the whole data set must know
(numbers of rows, tasks) is not here; see `compaction`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from reverie.core import Episode, ReverieError
from reverie.core.files import write_whole
from reverie.data.columns import EpisodeColumns, episode_columns, shown_frames
from reverie.data.features import Feature
from reverie.data.layout import IMAGES, MARK, RECORD_FORMAT, is_dataset, staging_folder
from reverie.data.record import EpisodeRecord, dump_json
from reverie.data.request import Request, check_request, read_request, write_request
from reverie.data.statistics import Histogram, Stats, stats_from_json, stats_to_json
from reverie.data.video import VideoOptions, encode_video

Images = Literal["png", "video"]
_NAME = re.compile(r"episode_(\d+)\.parquet")


def parquet_options(features: Mapping[str, Feature]) -> dict[str, Any]:
    """Snappy and dictionaries, so that repeated pictures are stored once; page checksums, so that damage is found."""
    return {
        "compression": "snappy",
        "use_dictionary": True,
        "dictionary_pagesize_limit": 1 << 26,
        "write_statistics": [k for k, f in features.items() if f.is_numeric and f.shape == (1,)],
        "write_page_checksum": True,
    }


@dataclass(frozen=True)
class StagedHeader:
    """What a staged file says of itself."""

    record: EpisodeRecord
    specs: Mapping[str, Any]
    features: Mapping[str, Feature]
    stats: Mapping[str, Stats]
    histograms: Mapping[str, Histogram]
    robot_type: str

    def to_json(self) -> str:
        return dump_json(
            {
                "format": RECORD_FORMAT,
                "record": json.loads(self.record.to_json()),
                "specs": self.specs,
                "features": {k: f.to_dict() for k, f in self.features.items()},
                "stats": {k: stats_to_json(s) for k, s in self.stats.items()},
                "histograms": {k: h.to_dict() for k, h in self.histograms.items()},
                "robot_type": self.robot_type,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "StagedHeader":
        value = json.loads(text)
        return cls(
            EpisodeRecord.from_json(json.dumps(value["record"])),
            value["specs"],
            {k: Feature.from_dict(f) for k, f in value["features"].items()},
            {k: stats_from_json(s) for k, s in value["stats"].items()},
            {k: Histogram.from_dict(h) for k, h in value["histograms"].items()},
            value["robot_type"],
        )


class EpisodeStager:
    """`stage(index, episode)` in any order, from any number of processes; then `compact(stager.folder, root)` once.

    root: where the data set will be. images: "png" keeps small frames exact; "video" suits large frames.
    request: all that decides the episodes, as a JSON value; it is stored first, and only the same one may go on.
    Errors: ReverieError if something lies at `root` already, or episodes of another request are staged.
    """

    def __init__(
        self,
        root: Path | str,
        images: Images = "png",
        robot_type: str = "unknown",
        video: VideoOptions | None = None,
        request: Request | None = None,
    ) -> None:
        self.root = Path(root)
        if images not in ("png", "video"):
            raise ReverieError(f"images is {images!r}, expected 'png' or 'video'")
        _make_free(self.root)
        self.folder = staging_folder(self.root)
        self._settle(request or {})
        self._images, self._robot_type, self._video = images, robot_type, video or VideoOptions()

    def _settle(self, request: Request) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReverieError(f"{self.folder}: cannot be made ({error}); choose another folder") from error
        if self.staged() or read_request(self.folder) is not None:
            check_request(self.folder, request)
        else:
            write_request(self.folder, request)

    def staged(self) -> list[int]:
        return staged_episodes(self.folder)

    def missing(self, n_episodes: int) -> list[int]:
        """Which of the first n are still to be written."""
        there = set(self.staged())
        return [i for i in range(n_episodes) if i not in there]

    def n_bytes(self) -> int:
        """Of everything staged."""
        return sum(path.stat().st_size for path in self.folder.glob("episode_*"))

    def stage(self, index: int, episode: Episode) -> Path:
        """Write one episode; one of the same index is replaced."""
        columns = episode_columns(episode, with_images=self._images == "png")
        features = dict(columns.features)
        if self._images == "video":
            features |= self._stage_videos(index, episode, features)
        header = staged_header(episode, columns, features, self._robot_type)
        table = columns.table().replace_schema_metadata({MARK: header.to_json()})
        path = staged_path(self.folder, index)
        write_whole(path, lambda temporary: write_table(temporary, table, features))
        return path

    def discard(self, index: int) -> None:
        """Remove one staged episode; its parquet first, so that it is never half there."""
        staged_path(self.folder, index).unlink(missing_ok=True)
        for path in self.folder.glob(f"episode_{index:06d}.*.mp4"):
            path.unlink()

    def _stage_videos(self, index: int, episode: Episode, features: Mapping[str, Feature]) -> dict[str, Feature]:
        fps, found = episode.action_spec.control_hz, {}
        shown = shown_frames(episode.frame_steps, episode.n_steps + 1)
        for camera, images in episode.observations.images.items():
            key = IMAGES + camera
            rows = (images[f] for f in shown)
            path = staged_video(self.folder, index, key)
            write_whole(path, lambda p, rows=rows: encode_video(p, rows, fps, self._video))  # type: ignore[misc]
            found[key] = Feature(
                "video", features[key].shape, features[key].names, video_info(images.shape, fps, self._video)
            )
        return found


def _make_free(root: Path) -> None:
    """An empty folder at `root` is removed; anything else there is found now, not after the work."""
    if is_dataset(root):
        raise ReverieError(f"{root} already holds a data set: choose another folder or delete it")
    if not root.exists():
        return
    try:
        root.rmdir()
    except OSError as error:
        raise ReverieError(
            f"{root} exists and is no data set: choose another folder, or move it away ({error.strerror})"
        ) from error


def staged_header(
    episode: Episode, columns: EpisodeColumns, features: Mapping[str, Feature], robot_type: str
) -> StagedHeader:
    specs = {"observation_spec": episode.observation_spec.to_dict(), "action_spec": episode.action_spec.to_dict()}
    return StagedHeader(EpisodeRecord.of(episode), specs, features, columns.stats, columns.histograms, robot_type)


def video_info(shape: tuple[int, ...], fps: float, options: VideoOptions) -> dict[str, Any]:
    """What LeRobot keeps of a video of frames [F, H, W, 3]."""
    return {
        "video.height": shape[1],
        "video.width": shape[2],
        "video.codec": options.codec_name,
        "video.pix_fmt": options.pixel_format,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
    }


def staged_path(folder: Path, index: int) -> Path:
    return folder / f"episode_{index:06d}.parquet"


def staged_video(folder: Path, index: int, key: str) -> Path:
    return folder / f"episode_{index:06d}.{key}.mp4"


def staged_episodes(folder: Path) -> list[int]:
    """The indices of the episodes that are there, in order."""
    names = (_NAME.fullmatch(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match.group(1)) for match in names if match)


def read_header(path: Path) -> StagedHeader:
    """Errors: ReverieError for a file that is damaged (a full disk; what is killed leaves none)."""
    try:
        return StagedHeader.from_json(pq.read_schema(path).metadata[MARK.encode()])
    except (pa.ArrowInvalid, KeyError, TypeError) as error:
        raise ReverieError(f"{path} is damaged ({error}): delete it and give the same command again") from error


def write_table(path: Path, table: pa.Table, features: Mapping[str, Feature]) -> None:
    """One row group."""
    pq.write_table(table, path, row_group_size=len(table), **parquet_options(features))
