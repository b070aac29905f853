"""The question: what is put to the model, in words and pictures. It knows no model and no network.

`PROMPT` is the whole text, with its gaps; its hash is part of the judge's version and its text goes into the receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode
from reverie.core.tiling import Images, tile
from reverie.judges.rubric import DONE, LEVELS

Picture = NDArray[np.uint8]

OPENING = """You watch a robot arm and say how far it came with what it was asked to do.
The robot was told: "{instruction}"
You get {n} pictures of one attempt in order of time, from the first moment to the last. Each picture holds the views of all
cameras at that moment side by side. Pictures may be small, blurred or distorted; judge what they show, not how sharp they are."""

CAPTION = "Picture {number}, after {time_s:.1f} s:"

CLOSING = """Give the highest level that was reached and still holds in the last picture:
{levels}
Only the object and the place that were named count; another object is level 0. If the pictures do not let you tell, the level
is null. "picture" is the number of the first picture that shows level {done}, or null if none does.
Answer with one JSON object and nothing else, in this form:
{{"reason": "one short sentence", "level": 0, "picture": null}}"""

PROMPT = "\n".join((OPENING, CAPTION, CLOSING))


class Unreachable(Exception):
    """No answer could be had: no connection, or a server that fails; another time it may answer."""


class MalformedAnswer(Exception):
    """There was an answer, but nothing that can be read: not what the question asked for."""


@dataclass(frozen=True)
class Question:
    """Texts and pictures [H, W, 3] as they follow each other. times_s: of the pictures, in order."""

    parts: tuple[str | Picture, ...]
    times_s: tuple[float, ...]


class Speaker(Protocol):
    """A model that answers in words."""

    @property
    def parallel(self) -> int:
        """How many questions it takes at a time."""
        ...

    @property
    def name(self) -> str:
        """Of the model."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """Whatever decides its answers, ready for JSON, without secrets."""
        ...

    def say(self, question: Question, seed: int) -> str:
        """Errors: Unreachable, MalformedAnswer; ReverieError where asking again cannot help."""
        ...


def question_of(episode: Episode, n_pictures: int, least_px: int) -> Question:
    """Frames evenly over time, the first and the last among them; small ones enlarged by whole pixels to `least_px`."""
    times = episode.observations.time_s
    picked = np.unique(np.linspace(0, episode.n_frames - 1, n_pictures).round().astype(int))
    tiled = tile({k: v[picked] for k, v in episode.observations.images.items()}, episode.observation_spec)
    parts: list[str | Picture] = [OPENING.format(instruction=episode.instruction, n=len(picked))]
    for number, (frame, picture) in enumerate(zip(picked, enlarged(tiled, least_px), strict=True), start=1):
        parts += [CAPTION.format(number=number, time_s=float(times[frame])), picture]
    return Question((*parts, closing()), tuple(float(t) for t in times[picked]))


def closing() -> str:
    levels = "\n".join(f"{i}: {text}" for i, text in enumerate(LEVELS))
    return CLOSING.format(levels=levels, done=DONE)


def enlarged(images: Images, least_px: int) -> Images:
    """[F, H, W, 3] with a shorter side of at least `least_px`."""
    times = max(1, -(-least_px // min(images.shape[1:3])))
    return images.repeat(times, axis=1).repeat(times, axis=2)
