"""The formats that can be imported, by the names that users type: a table to read, not a registry."""

from collections.abc import Callable, Iterable
from pathlib import Path

from reverie.core import Episode, ObservationSpec, ReverieError, unknown_name
from reverie.data.droid import read_droid
from reverie.data.given_specs import question, read_specs
from reverie.data.lerobot_reader import Dataset, open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.data.metadata import read_info, read_json
from reverie.data.plan import Progress
from reverie.data.request import is_finished
from reverie.data.rlds import read_rlds
from reverie.data.staging import Images


def open_known(src: Path, specs: Path | None = None) -> Dataset:
    """A data set whose specs are facts: its own, or those of the file `specs`; never guesses.

    Errors: ReverieError for a stranger's data set without `specs`, with what to write into that file.
    """
    dataset = open_dataset(src, read_specs(specs, read_info(src)) if specs else None)
    if dataset.specs_deduced:
        raise ReverieError(
            f"{src}: nothing in it says what its actions mean, and guesses would pass for facts; give --specs FILE, JSON "
            f"such as {question(dataset.info)}"
        )
    return dataset


IMPORTERS: dict[str, Callable[[Path], Iterable[Episode]]] = {
    "rlds": read_rlds,  # a TFDS version folder: features.json beside *.tfrecord-*
    "droid": read_droid,  # annotation/*/*.json beside videos/
    "lerobot": open_known,  # LeRobotDataset v3.0 or v2.x; a stranger's with the specs that a person gives
}

SMALL_PIXELS = 128 * 128
"""Frames up to this size are stored as PNG, larger ones as video."""


def importer(name: str) -> Callable[[Path], Iterable[Episode]]:
    """Errors: ReverieError for a name that is not in `IMPORTERS`, with the nearest."""
    if name not in IMPORTERS:
        raise unknown_name("importer", name, list(IMPORTERS))
    return IMPORTERS[name]


def import_dataset(
    name: str,
    src: Path | str,
    out: Path | str,
    images: Images | None = None,
    progress: Progress | None = None,
    specs: Path | None = None,
) -> Path:
    """Read `src` with the importer `name` and write a LeRobotDataset v3.0 to `out`, unless this import lies there already.

    images: "png" or "video"; by default by the size of the first frames. specs: for "lerobot", see `given_specs`.
    Errors: ReverieError for an unknown name, a source without episodes or with damaged files, specs that are not known.
    """
    read = importer(name)
    if specs is not None and name != "lerobot":
        raise ReverieError(f"--specs {specs}: found the importer {name!r}, which knows its specs; leave --specs out")
    request = {"made_by": "import", "format": name, "source": str(Path(src).resolve()), "images": images}
    if specs is not None:
        request["specs"] = read_json(specs, "write it, or leave --specs out to be told what belongs there")
    if is_finished(out, request):
        return Path(out)
    episodes = iter(open_known(Path(src), specs) if name == "lerobot" else read(Path(src)))
    first = next(episodes, None)
    if first is None:
        raise ReverieError(f"{src}: found no episode to import")
    chosen = images or default_images(first.observation_spec)
    robot = str(first.provenance.get("source", "unknown"))

    def everything() -> Iterable[Episode]:
        yield first
        yield from episodes

    return write_dataset(out, everything(), chosen, robot, progress=progress, request=request)


def default_images(spec: ObservationSpec) -> Images:
    """By the size of its largest camera, see `SMALL_PIXELS`."""
    large = any(c.height * c.width > SMALL_PIXELS for c in spec.cameras)
    return "video" if large else "png"
