"""How close dreamt frames stay to real ones while the recorded commands are replayed, against copying the first frame.

PSNR and SSIM of every frame after the first, over all pixels and over those that moved: that differ from the first frame by
more than MOVED of 255 in a channel. Knows episodes and numbers; it rolls nothing out and writes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.core import Episode, Estimate, ReverieError
from reverie.evaluation.ssim import ssim_map
from reverie.stats import bootstrap_mean

MOVED = 8
MIN_SHARE = 0.002
"""Fewer moving pixels than this share say nothing about motion: at that frame nothing is measured on them."""
METRICS: Mapping[str, tuple[str, str]] = {
    "psnr": ("PSNR, all pixels", "dB"),
    "psnr_moving": ("PSNR, moving pixels", "dB"),
    "ssim": ("SSIM, all pixels", ""),
    "ssim_moving": ("SSIM, moving pixels", ""),
}
"""metric -> (its name in figures, unit)"""
UNIT = "held-out takes"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A real sequence and the dream that began with its first frame and got its commands. Several may be of one take."""

    take: str
    real: Episode
    dreamt: Episode


@dataclass(frozen=True)
class Series:
    """Each metric of one pair at frames 1, 2, ... [h]; nan where too little moved."""

    take: str
    dreamt: Mapping[str, Array]
    copied: Mapping[str, Array]

    @property
    def n_frames(self) -> int:
        return len(self.dreamt["psnr"])


@dataclass(frozen=True)
class AtFrame:
    """Means over takes. `gain` is the mean of the differences, of the same takes: dreamt minus copied."""

    frame: int
    dreamt: Estimate
    copied: Estimate
    gain: Estimate

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def series(pair: Pair) -> Series:
    """Raises ReverieError where the two do not show the same first frame: then one was not started from the other."""
    real, dreamt = _views(pair.real), _views(pair.dreamt)
    n = min(len(real), len(dreamt))
    if n < 2 or not np.array_equal(real[0], dreamt[0]):
        raise ReverieError(
            f"{pair.take}: the dream has {len(dreamt)} frames and does not begin with the real first frame"
        )
    first, shown = real[0], real[1:n]
    moved = np.abs(shown.astype(np.int16) - first).max(-1) > MOVED  # [h, V, H, W]
    return Series(
        pair.take,
        _compared(shown, dreamt[1:n], moved),
        _compared(shown, np.broadcast_to(first, shown.shape), moved),
    )


def _views(episode: Episode) -> NDArray[np.uint8]:
    """[F, V, H, W, 3]"""
    return np.stack(list(episode.observations.images.values()), axis=1)


def _compared(real: NDArray[np.uint8], other: NDArray[np.uint8], moved: NDArray[np.bool_]) -> dict[str, Array]:
    """Every metric of [h, V, H, W, 3] twice -> [h]; all views of a frame count as one picture."""
    rows = [_of_frame(*frame) for frame in zip(real, other, moved, strict=True)]
    return {metric: np.array([row[metric] for row in rows]) for metric in METRICS}


def _of_frame(real: NDArray[np.uint8], other: NDArray[np.uint8], moved: NDArray[np.bool_]) -> dict[str, float]:
    squared = ((real.astype(np.float64) - other) ** 2).mean(-1)  # [V, H, W]
    similar = ssim_map(real, other)
    enough = moved.mean() >= MIN_SHARE
    return {
        "psnr": psnr(float(squared.mean())),
        "psnr_moving": psnr(float(squared[moved].mean())) if enough else float("nan"),
        "ssim": float(similar.mean()),
        "ssim_moving": float(similar[moved].mean()) if enough else float("nan"),
    }


def psnr(mean_squared_error: float) -> float:
    """dB for numbers in 0..255. Equal pictures count as an error of a tenth of a grey level, 68 dB: means stay finite."""
    return float(10 * np.log10(255**2 / max(mean_squared_error, 0.01)))


def at_frame(found: Sequence[Series], metric: str, frame: int) -> AtFrame:
    """One metric at a frame (1: the first dreamt one) over takes; several pairs of a take are averaged first."""
    there = [(s.take, s.dreamt[metric][frame - 1], s.copied[metric][frame - 1]) for s in found if s.n_frames >= frame]
    dreamt, copied = ([(take, values[side]) for take, *values in there] for side in (0, 1))
    gains = [(take, d - c) for take, d, c in there]
    return AtFrame(frame, *(bootstrap_mean(by_take(side), UNIT) for side in (dreamt, copied, gains)))


def by_take(values: Iterable[tuple[str, float]]) -> list[float]:
    """(take, value) -> the mean of each take's measured values; a take without any is left out."""
    kept: dict[str, list[float]] = {}
    for take, value in values:
        if np.isfinite(value):
            kept.setdefault(take, []).append(float(value))
    return [float(np.mean(v)) for v in kept.values()]


def table(found: Sequence[Series], frames: Sequence[int]) -> dict[str, dict[str, AtFrame]]:
    """metric -> "frame_<h>" -> AtFrame, for the frames that any take reaches."""
    longest = max(s.n_frames for s in found)
    return {m: {f"frame_{h}": at_frame(found, m, h) for h in frames if h <= longest} for m in METRICS}
