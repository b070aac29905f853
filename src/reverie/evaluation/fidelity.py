"""How close dreamt frames stay to real ones while the recorded commands are replayed, against copying the first frame and,
where the robot can be drawn, against drawing it into the first frame where it was commanded to be (the dream is given that).

PSNR and SSIM of every frame after the first, over all pixels; over those that moved: that differ from the first frame by
more than MOVED of 255 in a channel; and over those that moved in the real or in the dreamt frame, which also counts motion
that the dream invented. Knows episodes and numbers; it rolls nothing out and writes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    "psnr_either": ("PSNR, pixels that moved in either", "dB"),
    "ssim": ("SSIM, all pixels", ""),
    "ssim_moving": ("SSIM, moving pixels", ""),
    "ssim_either": ("SSIM, pixels that moved in either", ""),
}
"""metric -> (its name in figures, unit)"""
UNIT = "held-out takes"
Array = NDArray[np.float64]
Frames = NDArray[np.uint8]
"""[F, V, H, W, 3]: all views of every frame."""


@dataclass(frozen=True)
class Pair:
    """A real sequence and the dream that began with its first frame and got its commands. Several may be of one take.

    drawn: the first frame with the robot drawn into it as commanded, for every real frame; None where it cannot be.
    """

    take: str
    real: Episode
    dreamt: Episode
    drawn: Frames | None = None


@dataclass(frozen=True)
class Series:
    """Each metric of one pair at frames 1, 2, ... [h]; nan where too little moved."""

    take: str
    dreamt: Mapping[str, Array]
    copied: Mapping[str, Array]
    drawn: Mapping[str, Array] | None = None

    @property
    def n_frames(self) -> int:
        return len(self.dreamt["psnr"])


@dataclass(frozen=True)
class AtFrame:
    """Means over takes. `gain` is the mean of the differences, of the same takes: dreamt minus copied; `gain_over_drawn`
    dreamt minus drawn."""

    frame: int
    dreamt: Estimate
    copied: Estimate
    gain: Estimate
    drawn: Estimate | None = None
    gain_over_drawn: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def series(pair: Pair) -> Series:
    """Raises ReverieError where the two do not show the same first frame: then one was not started from the other."""
    real, dreamt = views(pair.real), views(pair.dreamt)
    n = min(len(real), len(dreamt))
    if n < 2 or not np.array_equal(real[0], dreamt[0]):
        raise ReverieError(
            f"{pair.take}: the dream has {len(dreamt)} frames and does not begin with the real first frame"
        )
    first, shown = real[0], real[1:n]
    moved, invented = (changed(frames[1:n], first) for frames in (real, dreamt))
    masks = {"": np.ones_like(moved), "_moving": moved, "_either": moved | invented}  # [h, V, H, W] each
    return Series(
        pair.take,
        _compared(shown, dreamt[1:n], masks),
        _compared(shown, np.broadcast_to(first, shown.shape), masks),
        None if pair.drawn is None else _compared(shown, pair.drawn[1:n], masks),
    )


def views(episode: Episode) -> Frames:
    return np.stack(list(episode.observations.images.values()), axis=1)


def changed(frames: Frames, first: Frames) -> NDArray[np.bool_]:
    """[F, V, H, W, 3] against [V, H, W, 3] -> [F, V, H, W]: which pixels have moved."""
    return np.asarray(np.abs(frames.astype(np.int16) - first).max(-1) > MOVED)


def _compared(real: Frames, other: Frames, masks: Mapping[str, NDArray[np.bool_]]) -> dict[str, Array]:
    """Every metric of [h, V, H, W, 3] twice -> [h]; all views of a frame count as one picture."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for frame, (one, two) in enumerate(zip(real, other, strict=True)):
        squared = ((one.astype(np.float64) - two) ** 2).mean(-1)  # [V, H, W]
        similar = ssim_map(one, two)
        for name, mask in masks.items():
            where = mask[frame]
            enough = where.mean() >= MIN_SHARE
            found[f"psnr{name}"].append(psnr(float(squared[where].mean())) if enough else float("nan"))
            found[f"ssim{name}"].append(float(similar[where].mean()) if enough else float("nan"))
    return {metric: np.array(values) for metric, values in found.items()}


def psnr(mean_squared_error: float) -> float:
    """dB for numbers in 0..255. Equal pictures count as an error of a tenth of a grey level, 68 dB: means stay finite."""
    return float(10 * np.log10(255**2 / max(mean_squared_error, 0.01)))


def at_frame(found: Sequence[Series], metric: str, frame: int) -> AtFrame:
    """One metric at a frame (1: the first dreamt one) over takes; several pairs of a take are averaged first."""
    there = [s for s in found if s.n_frames >= frame]

    def mean(value: Callable[[Series], float]) -> Estimate:
        return bootstrap_mean(by_take((s.take, value(s)) for s in there), UNIT)

    def of(side: Mapping[str, Array] | None) -> float:
        return float("nan") if side is None else float(side[metric][frame - 1])

    against_copy = (mean(lambda s: of(s.dreamt)), mean(lambda s: of(s.copied)), mean(lambda s: of(s.dreamt) - of(s.copied)))  # fmt: skip
    if all(s.drawn is None for s in there):
        return AtFrame(frame, *against_copy)
    return AtFrame(frame, *against_copy, mean(lambda s: of(s.drawn)), mean(lambda s: of(s.dreamt) - of(s.drawn)))


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
