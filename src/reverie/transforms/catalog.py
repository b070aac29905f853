"""The table of transforms, and the ordered list that is saved in a checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reverie.core import ReverieError, unknown_name
from reverie.transforms.batch import Batch, Transform
from reverie.transforms.images import ImagesToFloat, ResizeImages
from reverie.transforms.numbers import NormalizeActions, NormalizeState, StateQuaternionTo6d
from reverie.transforms.text import LowerText

TRANSFORMS: dict[str, type[Any]] = {
    "lower_text": LowerText,
    "resize_images": ResizeImages,
    "images_to_float": ImagesToFloat,
    "state_quaternion_to_6d": StateQuaternionTo6d,
    "normalize_state": NormalizeState,
    "normalize_actions": NormalizeActions,
}


@dataclass(frozen=True)
class Pipeline:
    """`apply` goes through the list from data to model; `invert` goes back through it with what the model predicts."""

    transforms: tuple[Transform, ...] = ()

    def apply(self, batch: Batch) -> Batch:
        """A batch as data has it -> as the model reads it."""
        for transform in self.transforms:
            batch = transform.apply(batch)
        return batch

    def invert(self, batch: Batch) -> Batch:
        """`actions` [B, T, A] as the model predicts them -> in the units of the action spec."""
        for transform in reversed(self.transforms):
            batch = transform.invert(batch)
        return batch

    def apply_text(self, instruction: str) -> str:
        """What the model reads for an instruction."""
        spelled = [t for t in self.transforms if isinstance(t, LowerText)]
        return str(Pipeline(tuple(spelled)).apply({"instructions": [instruction]})["instructions"][0])

    def to_list(self) -> list[dict[str, Any]]:
        """One JSON object per transform: its name and its fields."""
        return [{"name": t.name, **asdict(t)} for t in self.transforms]  # type: ignore[call-overload]

    @classmethod
    def from_list(cls, values: Sequence[Mapping[str, Any]], where: Path | str = "transforms") -> "Pipeline":
        """From what `to_list` gave. Errors: ReverieError that names `where` and the transform."""
        return cls(tuple(_read(v, where) for v in values))


def _read(value: Any, where: Path | str) -> Transform:
    if not isinstance(value, Mapping):
        raise ReverieError(f"{where}: found the transform {value!r}, expected an object with its name and fields")
    name = str(value.get("name"))
    if name not in TRANSFORMS:
        raise unknown_name(f"transform in {where}", name, list(TRANSFORMS))
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items() if k != "name"}
    try:
        transform: Transform = TRANSFORMS[name](**fields)
    except TypeError as error:
        raise ReverieError(f"{where}: transform {name!r} cannot be read from {fields}: {error}") from error
    return transform
