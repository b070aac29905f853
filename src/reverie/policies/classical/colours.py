"""Which named colour a pixel shows. Lighting scales a colour, so hue decides; grey, white and black things have none.

Knows the colour names of `assets.COLORS`; knows nothing about shapes, cameras or robots.
"""

import numpy as np
from numpy.typing import NDArray

from reverie.scenes.assets import COLORS

NAMES = tuple(COLORS)
NEUTRAL = -1
_MIN_SATURATION = 0.35  # the table has 0.05, named colours at least 0.74, a pixel half table half thing about 0.4
_MIN_VALUE = 0.1


def hue_saturation_value(rgb: NDArray[np.floating]) -> tuple[NDArray[np.floating], ...]:
    """[..., 3] in 0..1 -> hue in turns, saturation and value, each [...]."""
    high, low = rgb.max(-1), rgb.min(-1)
    chroma = high - low
    r, g, b = np.moveaxis(rgb, -1, 0)
    safe = np.maximum(chroma, 1e-6)
    sixth = np.where(high == r, (g - b) / safe % 6, np.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return sixth / 6, chroma / np.maximum(high, 1e-6), high


_HUES = hue_saturation_value(np.array(list(COLORS.values())))[0]


def label(image: NDArray[np.uint8]) -> NDArray[np.int8]:
    """[..., H, W, 3] -> [..., H, W]: index into `NAMES` of the colour with the nearest hue, or NEUTRAL."""
    hue, saturation, value = hue_saturation_value(image.astype(np.float32) / 255)
    apart = np.abs(hue[..., None] - _HUES)
    nearest = np.minimum(apart, 1 - apart).argmin(-1)
    return np.where((saturation > _MIN_SATURATION) & (value > _MIN_VALUE), nearest, NEUTRAL).astype(np.int8)
