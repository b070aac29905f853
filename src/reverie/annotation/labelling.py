"""Labelling recorded episodes: success and its moment, written beside the recording as `data.labels` says."""

from dataclasses import dataclass, field
from typing import Literal

from reverie.annotation.worklist import Answer, Clip
from reverie.core.tiling import tile
from reverie.data import Dataset
from reverie.data.labels import Label, append_label, read_labels
from reverie.judges.human import QUESTION


@dataclass
class Labelling:
    """A Worklist over the episodes of a data set, in their order. what: those without a label, or all that `by` has not
    labelled (a new label replaces what the recording says)."""

    dataset: Dataset
    by: str
    what: Literal["unlabelled", "all"] = "unlabelled"
    _items: list[str] = field(init=False)

    def __post_init__(self) -> None:
        mine = {i for i, label in read_labels(self.dataset.root).items() if label.by == self.by}
        known = [self.dataset.episode_info(i).success is not None for i in range(len(self.dataset))]
        chosen = [i for i, has in enumerate(known) if i not in mine and not (has and self.what == "unlabelled")]
        self._items, self._n_before = [str(i) for i in chosen], len(mine)

    @property
    def title(self) -> str:
        return "Labelling episodes"

    @property
    def question(self) -> str:
        return QUESTION

    @property
    def levels(self) -> tuple[str, ...]:
        return ()

    @property
    def n_items(self) -> int:
        return len(self._items) + self._n_before

    def open_items(self) -> list[str]:
        return list(self._items)

    def clip(self, item: str) -> Clip:
        episode = self.dataset.episode(int(item), depth=False)
        frames = tile(episode.observations.images, episode.observation_spec)
        return Clip(episode.instruction, tuple(float(t) for t in episode.observations.time_s), frames)

    def write(self, item: str, answer: Answer, clip: Clip) -> None:
        time_s = None if answer.frame is None else clip.times_s[answer.frame]
        append_label(self.dataset.root, Label(int(item), len(clip.times_s), answer.success, time_s, self.by))

    def closing(self) -> list[str]:
        if not self.n_items:
            return ["Every episode has a label already; start again with --what all to label them anew."]
        return [f"All {self.n_items} episodes are labelled. Thank you: this page can be closed."]
