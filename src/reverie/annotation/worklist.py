"""Worklist: what a person is shown and asked, wherever it lies. It knows no browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reverie.core import ReverieError
from reverie.core.tiling import Images


@dataclass(frozen=True)
class Clip:
    """frames [F, H, W, 3]: every camera in one picture; times_s [F]."""

    instruction: str
    times_s: tuple[float, ...]
    frames: Images


@dataclass(frozen=True)
class Answer:
    """success None: cannot tell. frame: the first that shows success, where it was marked. level: how far an attempt
    came that did not succeed, by its number."""

    success: bool | None
    frame: int | None = None
    level: int | None = None

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], clip: Clip, levels: tuple[str, ...]) -> "Answer":
        """What a page sent. Errors: ReverieError for anything that a page does not send."""
        success, frame, level = (value.get(name) for name in ("success", "frame", "level"))
        if "success" not in value or not (success is None or isinstance(success, bool)):
            raise ReverieError(f"success: found {success!r}, expected true, false or null")
        _check("frame", frame, len(clip.times_s))
        _check("level", level, len(levels))
        if success is not True and frame is not None:
            raise ReverieError(f"frame: found {frame} without a success, expected null")
        if success is True and level is not None:
            raise ReverieError(f"level: found {level} with a success, expected null")
        return cls(success, frame, level)


def _check(name: str, value: Any, n: int) -> None:
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < n):
        raise ReverieError(f"{name}: found {value!r}, expected null or a whole number in 0..{n - 1}")


class Worklist(Protocol):
    """Items are shown in the order of `open_items`; what was written is in it no more, also after a restart."""

    @property
    def title(self) -> str:
        """Above the page: what is done here. It gives nothing away."""
        ...

    @property
    def question(self) -> str:
        """What each answer answers."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """Of attempts that did not succeed; empty where these are not asked for."""
        ...

    @property
    def n_items(self) -> int:
        """All, whether answered or not."""
        ...

    def open_items(self) -> list[str]:
        """What is left to do, in order."""
        ...

    def clip(self, item: str) -> Clip:
        """What is shown of it."""
        ...

    def write(self, item: str, answer: Answer, clip: Clip) -> None:
        """Durable when it returns."""
        ...

    def closing(self) -> list[str]:
        """What to say once everything is answered."""
        ...
