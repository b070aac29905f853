"""Labels that people give to recorded episodes afterwards: a file of lines in the data set's own meta/ folder.

Rows and metadata stay as they were recorded: a label is one durable line, and the reader lays it over what the recording
says. The last line on an episode counts. The file is part of the data set's content hash, so whatever is derived from the
data set (a frame cache, what was trained on it) knows that it was labelled.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reverie.core import ReverieError
from reverie.data.episode_info import EpisodeInfo
from reverie.trials import lines

FILE = "meta/reverie_labels.jsonl"
LABELLED_BY = "labelled_by"
"""Provenance: who gave the label."""


@dataclass(frozen=True)
class Label:
    """success None: whoever looked could not tell. success_time_s: when it was first reached, where that was marked.
    n_frames: of the episode, so that a label never lands on another one."""

    episode: int
    n_frames: int
    success: bool | None
    success_time_s: float | None
    by: str


def read_labels(root: Path) -> dict[int, Label]:
    """episode -> the last label that it was given. Errors: ReverieError that names the line of a damaged file."""
    found = {}
    for line in lines.read(root / FILE):
        try:
            label = Label(**line.record)
        except TypeError:
            raise ReverieError(
                f"{root / FILE}, line {line.number}: found {sorted(line.record)}, expected a label"
            ) from None
        found[label.episode] = label
    return found


def recover_labels(root: Path) -> str | None:
    """Drop what a kill left of a last line; returns a note where there was something."""
    return lines.recover(root / FILE)


def append_label(root: Path, label: Label) -> None:
    """On disk when this returns."""
    lines.append(root / FILE, [asdict(label)])


def labelled(info: EpisodeInfo, labels: Mapping[int, Label], index: int, root: Path) -> EpisodeInfo:
    """What is known of episode `index` once its label, if it has one, is laid over the recording."""
    label = labels.get(index)
    if label is None:
        return info
    if label.n_frames != info.n_frames:
        raise ReverieError(
            f"{root / FILE}: found a label for an episode {index} of {label.n_frames} frames, but it has {info.n_frames}; the "
            "labels belong to another data set: delete the file, or restore the data set it was made for"
        )
    provenance = {**info.provenance, LABELLED_BY: label.by}
    return replace(info, success=label.success, success_time_s=label.success_time_s, provenance=provenance)
