"""Video files: frames to packets, packets from file to file without re-encoding, and frames of a span of time back.

Colours are stored as yuv444p (no chroma loss; a pixel is off by about one from 8-bit YUV) with H.264 or AV1. It knows
nothing of episodes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from reverie.core import ReverieError

TOLERANCE_S = 1e-4


@dataclass(frozen=True)
class VideoOptions:
    """`crf` 10 of H.264 keeps flat renders above 40 dB; a key frame every second or two makes seeking cheap."""

    codec: str = "libx264"
    crf: int = 10
    key_every: int = 15

    @property
    def pixel_format(self) -> str:
        """SVT-AV1 has no 4:4:4; its videos lose chroma and suit large frames only."""
        return "yuv420p" if self.codec == "libsvtav1" else "yuv444p"

    @property
    def codec_name(self) -> str:
        """The format, not the encoder."""
        return {"libx264": "h264", "libsvtav1": "av1"}.get(self.codec, self.codec)

    def stream_options(self) -> dict[str, str]:
        """The encoder's own options; one thread, so that the same frames give the same bytes."""
        if self.codec == "libx264":
            return {"crf": str(self.crf), "preset": "veryfast", "bf": "0", "threads": "1"}
        if self.codec == "libsvtav1":
            return {"crf": str(self.crf), "preset": "8", "svtav1-params": "pred-struct=1:lp=1"}
        return {"crf": str(self.crf)}


def rate_of(fps: float) -> Fraction:
    """Frames/s as the fraction that containers need."""
    return Fraction(fps).limit_denominator(100_000)


def encode_video(path: Path, frames: Iterable[NDArray[np.uint8]], fps: float, options: VideoOptions) -> None:
    """Frames uint8 [H, W, 3], one every 1 / fps seconds from 0, to an mp4 file."""
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = None
        for image in frames:
            if stream is None:
                stream = container.add_stream(options.codec, rate=rate_of(fps), options=options.stream_options())
                stream.height, stream.width, stream.pix_fmt = *image.shape[:2], options.pixel_format
                stream.codec_context.gop_size = options.key_every
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def read_frames(path: Path, start_s: float, fps: float, rows: Sequence[int]) -> NDArray[np.uint8]:
    """The frames at `start_s + row / fps` for increasing `rows` -> uint8 [n, H, W, 3]."""
    wanted = [start_s + row / fps for row in rows]
    found: list[NDArray[np.uint8]] = []
    to_rgb = rgb_converter()
    for time_s, frame in _frames_from(path, wanted[0] - TOLERANCE_S):
        if len(found) < len(wanted) and abs(time_s - wanted[len(found)]) <= TOLERANCE_S:
            found.append(to_rgb(frame))
        if len(found) == len(wanted) or time_s > wanted[len(found)] + 1 / fps:
            break
    if len(found) < len(wanted):
        raise ReverieError(
            f"{path}: found no frame at {wanted[len(found)]:.4f} s ({len(found)} of {len(wanted)} frames read), expected "
            f"frames every {1 / fps:.4f} s until {wanted[-1]:.4f} s; the video is truncated or has another rate: "
            "copy it again"
        )
    return np.stack(found)


def rgb_converter() -> Callable[[Any], NDArray[np.uint8]]:
    """One for all frames of a video: a new one for each frame takes three times as long."""
    converter = VideoReformatter()
    return lambda frame: np.asarray(converter.reformat(frame, format="rgb24").to_ndarray())


def read_all_frames(path: Path) -> NDArray[np.uint8]:
    """Every frame of a video -> uint8 [n, H, W, 3]."""
    to_rgb = rgb_converter()
    frames = [to_rgb(frame) for _, frame in _frames_from(path, None)]
    if not frames:
        raise ReverieError(f"{path}: found no frame, expected a video; copy it again")
    return np.stack(frames)


def _frames_from(path: Path, start_s: float | None) -> Iterator[tuple[float, Any]]:
    """(time in seconds, frame) from the last key frame before `start_s` on."""
    if not path.is_file():
        raise ReverieError(f"{path}: found no such file, expected a video; copy the data set again")
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = _time_base(stream)
            if start_s is not None and start_s > 0:
                container.seek(int(start_s / base), stream=stream, backward=True)
            for frame in container.decode(stream):
                yield float((frame.pts or 0) * base), frame
    except (av.FFmpegError, IndexError) as error:
        raise ReverieError(
            f"{path}: found {path.stat().st_size} bytes that are no readable video ({error}), expected an mp4 file; "
            "it is truncated or damaged: copy it again"
        ) from error


def _time_base(stream: Any) -> Fraction:
    return Fraction(stream.time_base)


class VideoJoiner:
    """Appends whole videos to one mp4 file by copying packets. All must come from one encoder with one setting."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._stream: Any = None
        self._header: bytes | None = None
        self._next_pts = 0
        self.n_bytes = 0

    def fits(self, source: Path) -> bool:
        """Whether the decoder can go on into this video with the header of the first."""
        with av.open(str(source)) as container:
            return self._header in (None, container.streams.video[0].codec_context.extradata)

    def append(self, source: Path, n_frames: int, fps: float) -> tuple[float, float]:
        """Copy the packets; returns the time in seconds at which it starts and ends here."""
        with av.open(str(source)) as container:
            stream = container.streams.video[0]
            if self._stream is None:
                self._stream = self._container.add_stream_from_template(stream, opaque=True)
                self._stream.time_base = stream.time_base
                self._header = stream.codec_context.extradata
            base = _time_base(stream)
            start = self._next_pts
            for packet in container.demux(stream):
                if packet.dts is None or packet.pts is None:
                    continue  # the flushing packet at the end
                packet.pts += start
                packet.dts += start
                packet.stream = self._stream
                self.n_bytes += packet.size
                self._container.mux(packet)
            self._next_pts = start + round(n_frames / rate_of(fps) / base)
        return float(start * base), float(self._next_pts * base)

    def close(self) -> None:
        """Complete the file."""
        self._container.close()
