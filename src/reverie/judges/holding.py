"""From a logit per frame to one verdict per episode: success must stay for half a second at any time.

The rule of the worlds ("held for 0.5 s, latched") applied to what a judge sees. Pure functions of arrays.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HoldRule:
    """Logits are averaged over `smooth` frames; success is a whole `hold_s` above `threshold`. The episode's probability
    is sigmoid((score - threshold) / temperature), so that success and probability > 0.5 are the same."""

    hold_s: float = 0.5
    smooth: int = 3
    threshold: float = 0.0
    temperature: float = 1.0


class Held(NamedTuple):
    """score: the highest level that the smoothed logits keep for `hold_s`. frame: where that was first kept above the
    threshold for long enough (the last frame of the hold), None if never."""

    score: float
    frame: int | None


def frames_to_hold(hold_s: float, time_s: Array) -> int:
    """How many consecutive frames cover `hold_s`: 3 at 5 frames/s for 0.5 s. One where there is no frame rate."""
    if len(time_s) < 2:
        return 1
    return max(1, ceil(hold_s / float(np.median(np.diff(time_s))) - 1e-6))


def smoothed(logits: Array, width: int) -> Array:
    """Centred means of [F] over `width` frames (odd), over fewer at the ends."""
    kernel = np.ones(width)
    return np.asarray(np.convolve(logits, kernel, "same") / np.convolve(np.ones(len(logits)), kernel, "same"))


def hold(logits: Array, time_s: Array, rule: HoldRule) -> Held:
    """Apply the rule to [F] logits at times [F]; at least as many frames as the hold takes."""
    n = frames_to_hold(rule.hold_s, time_s)
    kept = np.lib.stride_tricks.sliding_window_view(smoothed(logits, rule.smooth), n).min(axis=-1)  # [F - n + 1]
    above = np.flatnonzero(kept > rule.threshold)
    return Held(float(kept.max()), int(above[0]) + n - 1 if len(above) else None)


def probability(score: float, rule: HoldRule) -> float:
    return float(1 / (1 + np.exp(-np.clip((score - rule.threshold) / rule.temperature, -60, 60))))
