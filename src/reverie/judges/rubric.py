"""How far an episode came, in five levels: the same words for people and for models that are asked in words.

A grade says more than yes or no: on generated video, graded progress follows people's judgement more closely than a
binary question does.
"""

LEVELS = (
    "nothing of what was asked has begun",
    "the right object is approached or touched",
    "the right object is held, or has moved towards where it belongs",
    "nearly there: where it belongs, but still held, still moving, or only partly in place",
    "done: exactly what was asked, let go of and at rest",
)
DONE = len(LEVELS) - 1


def progress_of(level: float) -> float:
    """A level in 0..DONE -> progress in [0, 1]."""
    return level / DONE
