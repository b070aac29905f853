"""Normalisation: numbers to about unit size and back, number by number of the last axis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """encode: (x - offset) / scale; decode: its exact inverse. Both take [..., D] and return float32."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.array([self.offset, self.scale], dtype=np.float64)  # ragged input fails here
        if not np.isfinite(values).all() or not (values[1] > 0).all():
            raise ReverieError(
                f"normalisation needs finite offsets and scales > 0, found {self.offset} and {self.scale}"
            )

    @property
    def dim(self) -> int:
        return len(self.offset)

    def encode(self, values: NDArray[np.floating]) -> Array:
        self._check(values)
        return np.asarray((values - np.array(self.offset)) / np.array(self.scale), np.float32)

    def decode(self, values: NDArray[np.floating]) -> Array:
        self._check(values)
        return np.asarray(np.asarray(values, np.float64) * self.scale + np.array(self.offset), np.float32)

    def _check(self, values: NDArray[np.floating]) -> None:
        if values.shape[-1] != self.dim:
            raise ReverieError(f"normalisation of {self.dim} numbers got an array of shape {values.shape}")


def by_mean(values: NDArray[np.floating], floor: float) -> Normalisation:
    """From [N, D]: mean and standard deviation. `floor` is the smallest scale: a number that hardly varied in training
    would otherwise be blown up by a millimetre of change in use."""
    _check_rows(values)
    scale = np.maximum(values.std(axis=0, dtype=np.float64), floor)
    return Normalisation(_floats(values.mean(axis=0, dtype=np.float64)), _floats(scale))


def by_quantiles(values: NDArray[np.floating], floor: float) -> Normalisation:
    """From [N, D]: the 1 % quantile becomes -1, the 99 % quantile 1; `floor` is the smallest half of their distance."""
    _check_rows(values)
    low, high = np.quantile(values.astype(np.float64), (0.01, 0.99), axis=0)
    return Normalisation(_floats((low + high) / 2), _floats(np.maximum((high - low) / 2, floor)))


def keep(normalisation: Normalisation, where: tuple[int, ...]) -> Normalisation:
    """The same, but the numbers at `where` stay as they are (a gripper opening between 0 and 1)."""
    offset, scale = list(normalisation.offset), list(normalisation.scale)
    for i in where:
        offset[i], scale[i] = 0.0, 1.0
    return Normalisation(tuple(offset), tuple(scale))


def _floats(values: NDArray[np.floating]) -> tuple[float, ...]:
    """Rounded to six digits: short in the checkpoint, and the same number after a round trip through JSON."""
    return tuple(float(f"{v:.6g}") for v in values)


def _check_rows(values: NDArray[np.floating]) -> None:
    if values.ndim != 2 or len(values) == 0 or not np.isfinite(values).all():
        raise ReverieError(f"statistics need finite values [N >= 1, D], found an array of shape {values.shape}")
