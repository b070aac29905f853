"""Transforms of pictures."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reverie.core import ReverieError
from reverie.transforms.batch import Batch, cameras


@dataclass(frozen=True)
class ResizeImages:
    """Every camera to height x width, by area (`box` filter). The aspect ratio may change: image points are stored as
    fractions of the width and height, so that they stay where they are."""

    height: int
    width: int
    name: ClassVar[str] = "resize_images"

    def apply(self, batch: Batch) -> Batch:
        return batch | {k: self._resize(batch[k]) for k in cameras(batch)}

    def invert(self, batch: Batch) -> Batch:
        return batch

    def _resize(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if images.dtype != np.uint8:
            raise ReverieError(f"resize_images needs uint8 images, found {images.dtype}: put it before images_to_float")
        lead, (height, width) = images.shape[:-3], images.shape[-3:-1]
        if (height, width) == (self.height, self.width):
            return images
        flat = images.reshape(-1, height, width, 3)
        small = [Image.fromarray(i).resize((self.width, self.height), Image.Resampling.BOX) for i in flat]
        return np.stack([np.asarray(i) for i in small]).reshape(*lead, self.height, self.width, 3)


@dataclass(frozen=True)
class ImagesToFloat:
    """uint8 0..255 to float32 -1..1."""

    name: ClassVar[str] = "images_to_float"

    def apply(self, batch: Batch) -> Batch:
        return batch | {k: batch[k].astype(np.float32) * np.float32(2 / 255) - np.float32(1) for k in cameras(batch)}

    def invert(self, batch: Batch) -> Batch:
        return batch
