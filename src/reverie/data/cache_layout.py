"""Which arrays a frame cache has, how large they are and where each episode lies in them, before a frame is decoded."""

from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from numpy.typing import NDArray

from reverie.core import Episode, ReverieError
from reverie.data.columns import is_depth_extra
from reverie.data.episode_info import EpisodeInfo
from reverie.data.lerobot_reader import Dataset

OWN_NAMES = ("time_s", "commanded", "measured")


@dataclass(frozen=True)
class ArraySpec:
    """One array file: a NumPy dtype's name and the whole shape."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class CacheLayout:
    """arrays: by file name, `images.<camera>`, `time_s`, `commanded`, `measured`, `extras.<name>`, `frame_steps`,
    `actions`. The offsets have one entry more than there are episodes."""

    arrays: dict[str, ArraySpec]
    frame_offsets: list[int]
    action_offsets: list[int]
    episodes: list[EpisodeInfo]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "CacheLayout":
        """What `to_dict` gave."""
        return cls(
            {k: ArraySpec(a["dtype"], tuple(a["shape"])) for k, a in value["arrays"].items()},
            value["frame_offsets"],
            value["action_offsets"],
            [EpisodeInfo.from_dict(e) for e in value["episodes"]],
        )


def cache_arrays(episode: Episode, depth: bool) -> dict[str, NDArray[Any]]:
    """What the cache keeps of an episode, by the names of its files."""
    flat = episode.observations.arrays()
    if not depth:
        flat = {k: v for k, v in flat.items() if not is_depth_extra(k.removeprefix("extras."), v)}
    return flat | {"frame_steps": episode.frame_steps, "actions": episode.actions}


def layout_of(dataset: Dataset, depth: bool) -> CacheLayout:
    """Sizes come from the metadata; what only the frames tell (sizes of pictures) from the first episode."""
    if not len(dataset):
        raise ReverieError(f"{dataset.root}: found no episode, expected at least one")
    episodes = [dataset.episode_info(i) for i in range(len(dataset))]
    frame_offsets = [0, *accumulate(e.n_frames for e in episodes)]
    action_offsets = [0, *accumulate(e.n_actions for e in episodes)]
    widest = {f"extras.{k}": tuple(shape) for k, (_, shape) in (dataset.info.own or {}).get("extras", {}).items()}
    arrays = {}
    for name, values in cache_arrays(dataset.episode(0, depth=depth), depth).items():
        n_rows = (action_offsets if name == "actions" else frame_offsets)[-1]
        arrays[name] = ArraySpec(values.dtype.name, (n_rows, *widest.get(name, values.shape[1:])))
    _check_names(dataset, list(arrays))
    return CacheLayout(arrays, frame_offsets, action_offsets, episodes)


def _check_names(dataset: Dataset, names: list[str]) -> None:
    clash = [n for n in OWN_NAMES if f"extras.{n}" in names]
    if clash:
        raise ReverieError(
            f"{dataset.root}: found extras named {clash}, which the cache keeps for the state; rename them when recording"
        )
