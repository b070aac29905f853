"""What a frozen backbone sees in every frame, looked at once: then a training step costs no convolution.

Arrays have one row per frame of a frame cache, float16, memory-mapped, in a folder beside it that is keyed by the
backbone's weights, the sentences and the rows that are wanted: derived, and deletable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.checkpoints import weights_hash
from reverie.core import content_hash
from reverie.data.whole import whole_folder
from reverie.policies.encoders import SEEN, GroundedEncoder
from reverie.policies.learned import to_tensors
from reverie.training.journal import Screen
from reverie.transforms import Batch

Look = Callable[[NDArray[np.int64]], Batch]
"""Frame numbers [N] -> the batch that an encoder looks at: images, state and sentences of single frames."""
_BATCH = 64


@dataclass(frozen=True)
class SeenFrames:
    """arrays: by names of SEEN, [F, ...]; place [F]: where a frame of the cache lies in them, -1 if it was left out."""

    arrays: Mapping[str, NDArray[np.float16]]
    place: NDArray[np.int64]

    def at(self, frames: NDArray[np.int64]) -> Batch:
        """`seen.<name>` [B, To, ...] of frames [B, To]."""
        rows = self.place[frames]
        assert (rows >= 0).all()
        return to_tensors({f"seen.{name}": values[rows].astype(np.float32) for name, values in self.arrays.items()})


def see(encoder: GroundedEncoder, look: Look, frames: NDArray[np.int64], sentences: list[str], prepared: Any, n_frames: int, folder: Path, quiet: bool) -> SeenFrames:  # fmt: skip
    """Look at `frames` of a cache with `n_frames`, once: what is in `folder` already is only opened. sentences: every one
    that may be asked for, and prepared: how frames become input, as plain values; both for the key."""
    weights = weights_hash(encoder.backbone.state_dict())
    key = content_hash([weights, encoder.config.cells, sentences, prepared, frames.tolist()])
    path = folder / f"seen-{key}"
    if not path.is_dir():
        with whole_folder(path) as temporary:
            _look_at_all(encoder, look, frames, temporary, quiet)
    arrays = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in SEEN}
    place = np.full(n_frames, -1, np.int64)
    place[frames] = np.arange(len(frames))
    return SeenFrames(arrays, place)


@torch.inference_mode()
def _look_at_all(encoder: GroundedEncoder, look: Look, frames: NDArray[np.int64], folder: Path, quiet: bool) -> None:
    folder.mkdir(parents=True)
    arrays: dict[str, NDArray[np.float16]] = {}
    with Screen(len(frames), 0, quiet) as screen:
        screen.say(f"looking at {len(frames):,} frames with the frozen backbone, once")
        for start in range(0, len(frames), _BATCH):
            for name, values in encoder.seen(look(frames[start : start + _BATCH])).items():
                if name not in arrays:
                    shape = (len(frames), *values.shape[1:])
                    arrays[name] = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float16, shape)
                arrays[name][start : start + len(values)] = values.numpy()
            screen.advance(min(start + _BATCH, len(frames)), "frames")
