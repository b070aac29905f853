"""Episodes on disk: LeRobotDataset v3.0 read and written, other formats read, a frame cache for training, summaries."""

from reverie.data.compaction import compact
from reverie.data.lerobot_reader import Dataset, open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.data.staging import EpisodeStager

__all__ = ["Dataset", "EpisodeStager", "compact", "open_dataset", "write_dataset"]
