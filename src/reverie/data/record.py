"""EpisodeRecord: everything of an episode but its arrays, as a JSON value and as columns of the episodes parquet."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa

from reverie.core import Episode, Event, ReverieError, Scene
from reverie.data.layout import MARK


def dump_json(value: Any, where: str = "value") -> str:
    """JSON with sorted keys; NumPy numbers and arrays become plain ones."""

    def plain(item: Any) -> Any:
        if hasattr(item, "tolist"):
            return item.tolist()
        raise ReverieError(f"{where} holds a {type(item).__name__} ({item!r}); only JSON values can be stored")

    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=plain)


@dataclass(frozen=True)
class EpisodeRecord:
    """`instructions` are those of Observations, run-length coded: [text, count] pairs.

    extras: name -> [dtype, shape of one frame]. A column may be wider: other episodes may hold more objects.
    """

    instruction: str
    n_frames: int
    n_actions: int
    success: bool | None = None
    success_time_s: float | None = None
    scene: Mapping[str, Any] | None = None
    events: tuple[Mapping[str, Any], ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    instructions: tuple[tuple[str, int], ...] = ()
    extras: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeRecord":
        """Of an episode in memory."""
        return cls(
            instruction=episode.instruction,
            n_frames=episode.n_frames,
            n_actions=episode.n_steps,
            success=None if episode.success is None else bool(episode.success),
            success_time_s=None if episode.success_time_s is None else float(episode.success_time_s),
            scene=None if episode.scene is None else episode.scene.to_dict(),
            events=tuple(asdict(e) for e in episode.events),
            provenance=dict(episode.provenance),
            instructions=tuple((text, len(list(run))) for text, run in groupby(episode.observations.instructions)),
            extras={k: (v.dtype.name, v.shape[1:]) for k, v in episode.observations.extras.items()},
        )

    def to_json(self) -> str:
        # asdict would copy arrays inside provenance; dump_json takes them as they are
        """Errors: ReverieError for provenance or events that JSON cannot hold."""
        return dump_json(dict(vars(self)), f"episode {self.instruction!r}")

    @classmethod
    def from_json(cls, text: str) -> "EpisodeRecord":
        """What `to_json` gave."""
        value = json.loads(text)
        return cls(
            **{
                **value,
                "events": tuple(value["events"]),
                "instructions": tuple((t, n) for t, n in value["instructions"]),
                "extras": {k: (dtype, tuple(shape)) for k, (dtype, shape) in value["extras"].items()},
            }
        )

    @property
    def core_scene(self) -> Scene | None:
        """The scene as a value of `core`, None where there was none."""
        return None if self.scene is None else Scene.from_dict(dict(self.scene))

    @property
    def core_events(self) -> tuple[Event, ...]:
        """The events as values of `core`."""
        return tuple(Event(**e) for e in self.events)

    @property
    def row_instructions(self) -> tuple[str, ...]:
        """One instruction per row of Observations, as recorded."""
        return tuple(text for text, count in self.instructions for _ in range(count))


_JSON_COLUMNS = ("scene", "events", "provenance", "instructions", "extras")
_TYPES = {
    "instruction": pa.string(),
    "n_frames": pa.int64(),
    "n_actions": pa.int64(),
    "success": pa.bool_(),
    "success_time_s": pa.float64(),
} | {name: pa.string() for name in _JSON_COLUMNS}

RECORD_COLUMNS = {f"{MARK}/{name}": kind for name, kind in _TYPES.items()}
"""Our columns of the episodes parquet. `success` is null where an episode is unlabelled."""


def record_to_row(record: EpisodeRecord) -> dict[str, Any]:
    """The cells of `RECORD_COLUMNS`."""
    row = {f"{MARK}/{name}": getattr(record, name) for name in _TYPES}
    for name in _JSON_COLUMNS:
        row[f"{MARK}/{name}"] = dump_json(getattr(record, name), name)
    return row


def record_from_row(row: Mapping[str, Any]) -> EpisodeRecord:
    """What `record_to_row` gave; other columns are ignored."""
    value = {name: row[f"{MARK}/{name}"] for name in _TYPES}
    for name in _JSON_COLUMNS:
        value[name] = json.loads(value[name])
    return EpisodeRecord.from_json(json.dumps(value))
