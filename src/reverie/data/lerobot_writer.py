"""Writing a LeRobotDataset v3.0 in one go, for sources that are read in order. Collection uses the two halves itself:
`EpisodeStager` (many processes, resumable) and `compact`."""

from collections.abc import Iterable
from pathlib import Path

from reverie.core import Episode
from reverie.data.compaction import compact
from reverie.data.plan import Progress
from reverie.data.request import Request
from reverie.data.staging import EpisodeStager, Images
from reverie.data.video import VideoOptions


def write_dataset(
    root: Path | str,
    episodes: Iterable[Episode],
    images: Images = "png",
    robot_type: str = "unknown",
    video: VideoOptions | None = None,
    progress: Progress | None = None,
    request: Request | None = None,
) -> Path:
    """Stage every episode, then compact. Episodes staged by an earlier, killed call are written again.

    request: as for `EpisodeStager`; ask `is_finished` first where the same call may be repeated.
    """
    stager = EpisodeStager(root, images, robot_type, video, request)
    count = 0
    for count, episode in enumerate(episodes, start=1):
        stager.stage(count - 1, episode)
    for leftover in stager.staged()[count:]:
        stager.discard(leftover)
    return compact(stager.folder, root, progress=progress)
