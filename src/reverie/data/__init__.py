"""Episodes on disk: LeRobotDataset v3.0 read and written, other formats read, a frame cache for training, summaries."""

from reverie.data.cache import FrameCache, open_cache
from reverie.data.compaction import compact
from reverie.data.episode_info import EpisodeInfo
from reverie.data.layout import is_dataset, staging_folder
from reverie.data.lerobot_reader import Dataset, open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.data.request import is_finished
from reverie.data.staging import EpisodeStager

__all__ = [
    "Dataset",
    "EpisodeInfo",
    "EpisodeStager",
    "FrameCache",
    "compact",
    "is_dataset",
    "is_finished",
    "open_cache",
    "open_dataset",
    "staging_folder",
    "write_dataset",
]
