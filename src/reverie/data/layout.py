"""Where the files of a LeRobotDataset lie, and its constants (v3.0 and v2.1). It reads and writes nothing."""

from pathlib import Path

VERSION = "v3.0"
CHUNK_FILES = 1000  # files per chunk folder
DATA_FILE_MB = 100
VIDEO_FILE_MB = 200

INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

IMAGES = "observation.images."
EXTRAS = "observation.extras."
DEPTH = "depth."
"""An extra `depth.<camera>` of uint16 [F, H, W] is millimetres, stored as a 16-bit PNG."""

MARK = "reverie"
"""Our one extra key in info.json and the prefix of our columns in the episodes parquet."""
RECORD_FORMAT = 1


def staging_folder(root: Path | str) -> Path:
    """Where the episodes of an unfinished data set wait."""
    root = Path(root)
    return root.with_name(root.name + ".staging")


def is_dataset(root: Path | str) -> bool:
    """Whether a complete data set lies there (a folder appears by one rename, so half of one cannot)."""
    return (Path(root) / INFO).is_file()


def next_place(chunk: int, file: int) -> tuple[int, int]:
    """The (chunk, file) numbers after these."""
    return (chunk, file + 1) if file + 1 < CHUNK_FILES else (chunk + 1, 0)
