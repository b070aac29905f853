"""Every camera of a moment in one picture: where each view lies, there and back."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reverie.core.specs import ObservationSpec

Images = NDArray[np.uint8]


def layout(spec: ObservationSpec) -> dict[str, tuple[int, int, int, int]]:
    """camera -> (top, left, height, width) in a grid as square as possible, wider than high; cells of equal size."""
    columns = int(np.ceil(np.sqrt(len(spec.cameras))))
    cell_h, cell_w = (max(getattr(c, s) for c in spec.cameras) for s in ("height", "width"))
    return {
        c.name: (i // columns * cell_h, i % columns * cell_w, c.height, c.width) for i, c in enumerate(spec.cameras)
    }


def tile(images: Mapping[str, Images], spec: ObservationSpec) -> Images:
    """camera -> [F, H, W, 3] to one [F, H', W', 3]; empty cells are black."""
    places = layout(spec)
    height = max(top + h for top, _, h, _ in places.values())
    width = max(left + w for _, left, _, w in places.values())
    frames = next(iter(images.values())).shape[0]
    tiled = np.zeros((frames, height, width, 3), dtype=np.uint8)
    for name, (top, left, h, w) in places.items():
        tiled[:, top : top + h, left : left + w] = images[name]
    return tiled


def untile(tiled: Images, spec: ObservationSpec) -> dict[str, Images]:
    return {n: tiled[:, top : top + h, left : left + w] for n, (top, left, h, w) in layout(spec).items()}
