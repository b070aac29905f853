"""Clips: every camera of an episode tiled into one small video, stored without loss, so that frames can be judged again.

H.264 in RGB at qp 0: every pixel comes back exactly; about 100 kB for 8 s of four 64 px cameras.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from reverie.core import ObservationSpec, ReverieError
from reverie.core.files import write_whole
from reverie.core.tiling import Images, layout, tile, untile

__all__ = ["Images", "layout", "read_clip", "tile", "untile", "write_clip"]


def write_clip(path: Path, frames: Images, frames_hz: float) -> None:
    """[F, H, W, 3] to an mp4 that appears whole or not at all. Sides are padded to even numbers, as players expect."""
    path.parent.mkdir(parents=True, exist_ok=True)
    even = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)))
    write_whole(path, lambda temporary: _encode(temporary, even, frames_hz))


def _encode(path: Path, frames: Images, frames_hz: float) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        rate = Fraction(frames_hz).limit_denominator(1000)
        stream = container.add_stream(
            "libx264rgb", rate=rate, options={"qp": "0", "preset": "veryfast", "threads": "1"}
        )
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "rgb24"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))


def read_clip(path: Path, spec: ObservationSpec) -> dict[str, Images]:
    """camera -> [F, H, W, 3], exactly as written."""
    try:
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    except (av.error.FFmpegError, FileNotFoundError) as error:
        raise ReverieError(
            f"{path}: cannot be read as a clip ({error}); restore the file or run its block again"
        ) from None
    return untile(np.stack(frames), spec)
