"""Batch: the flat dictionary that transforms work on, and what a transform is.

    images.<camera>   uint8 [B, To, H, W, 3]        instructions   list of B strings
    state             float32 [B, To, D]            actions        float32 [B, T, A] (training; and what a policy returns)

`state` joins the commanded and the measured numbers that the policy's spec names, in that order.
Other keys (padding flags, supervision) pass through untouched, save image points, which follow their image.
"""

from typing import Any, ClassVar, Protocol

Batch = dict[str, Any]


class Transform(Protocol):
    """A frozen dataclass of JSON values. `apply` goes from data to model; `invert` brings `actions` from model to data."""

    name: ClassVar[str]

    def apply(self, batch: Batch) -> Batch: ...

    def invert(self, batch: Batch) -> Batch: ...


IMAGES = "images."


def cameras(batch: Batch) -> list[str]:
    """The keys of the images, in order."""
    return [k for k in batch if k.startswith(IMAGES)]
