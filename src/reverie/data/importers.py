"""The formats that can be imported, by the names that users type: a table to read, not a registry."""

from collections.abc import Callable, Iterable
from pathlib import Path

from reverie.core import Episode, ReverieError, unknown_name
from reverie.data.droid import read_droid
from reverie.data.lerobot_reader import open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.data.plan import Progress
from reverie.data.rlds import read_rlds
from reverie.data.staging import Images

IMPORTERS: dict[str, Callable[[Path], Iterable[Episode]]] = {
    "rlds": read_rlds,  # a TFDS version folder: features.json beside *.tfrecord-*
    "droid": read_droid,  # annotation/*/*.json beside videos/
    "lerobot": open_dataset,  # LeRobotDataset v3.0 or v2.x: deduced specs become the data set's own
}

SMALL_PIXELS = 128 * 128
"""Frames up to this size are stored as PNG, larger ones as video."""


def importer(name: str) -> Callable[[Path], Iterable[Episode]]:
    if name not in IMPORTERS:
        raise unknown_name("importer", name, list(IMPORTERS))
    return IMPORTERS[name]


def import_dataset(
    name: str, src: Path | str, out: Path | str, images: Images | None = None, progress: Progress | None = None
) -> Path:
    """Read `src` with the importer `name` and write a LeRobotDataset v3.0 to `out`.

    images: "png" or "video"; by default by the size of the first frames.
    """
    episodes = iter(importer(name)(Path(src)))
    first = next(episodes, None)
    if first is None:
        raise ReverieError(f"{src}: found no episode to import")
    chosen = images or default_images(first)
    robot = str(first.provenance.get("source", "unknown"))

    def everything() -> Iterable[Episode]:
        yield first
        yield from episodes

    return write_dataset(out, everything(), chosen, robot, progress=progress)


def default_images(episode: Episode) -> Images:
    large = any(c.height * c.width > SMALL_PIXELS for c in episode.observation_spec.cameras)
    return "video" if large else "png"
