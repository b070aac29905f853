"""EpisodeInfo: what one knows of a recorded episode without reading its rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reverie.core import Scene
from reverie.data.record import EpisodeRecord


@dataclass(frozen=True)
class EpisodeInfo:
    """success None means unlabelled. split: "train", "val" or None, as its source says (`provenance["split"]`)."""

    instruction: str
    n_frames: int
    n_actions: int
    success: bool | None = None
    success_time_s: float | None = None
    scene: Scene | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def split(self) -> str | None:
        """As its source says, None where it does not."""
        value = self.provenance.get("split")
        return None if value is None else str(value)

    @classmethod
    def of_record(cls, record: EpisodeRecord) -> "EpisodeInfo":
        """What our record tells without rows."""
        return cls(
            record.instruction,
            record.n_frames,
            record.n_actions,
            record.success,
            record.success_time_s,
            record.core_scene,
            record.provenance,
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "EpisodeInfo":
        """What `to_dict` gave."""
        scene = value.get("scene")
        return cls(**{**value, "scene": None if scene is None else Scene.from_dict(scene)})
