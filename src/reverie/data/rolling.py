"""Files of bounded size: parquet row groups and videos go into the current file until it is full.

Each `write` or `append` says into which (chunk, file) it went. Nothing is kept in memory but the current file's footer.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reverie.data.layout import next_place
from reverie.data.video import VideoJoiner

Place = tuple[int, int]
PathOf = Callable[[int, int], Path]


class RollingParquet:
    """One row group per `write`. A new file is begun where `n_bytes` more would exceed the limit."""

    def __init__(self, path_of: PathOf, schema: pa.Schema, limit_mb: float, options: Mapping[str, Any]) -> None:
        self._path_of, self._schema, self._limit, self._options = path_of, schema, limit_mb * 1e6, options
        self._sink: Any = None
        self._writer: Any = None
        self.place: Place = (0, 0)

    def make_room(self, n_bytes: int) -> Place:
        """Open the file that the next `n_bytes` go to."""
        if self._sink is not None and self._sink.tell() + n_bytes > self._limit:
            self.close()
            self.place = next_place(*self.place)
        if self._sink is None:
            path = self._path_of(*self.place)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._sink = pa.OSFile(str(path), "wb")
            self._writer = pq.ParquetWriter(self._sink, self._schema, **self._options)
        return self.place

    def write(self, table: pa.Table, n_bytes: int) -> Place:
        """One row group of about `n_bytes`; returns the (chunk, file) it went to."""
        place = self.make_room(n_bytes)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        return place

    def close(self) -> None:
        """Write the footer: the file is readable only then."""
        if self._sink is not None:
            self._writer.close()
            self._sink.close()
            self._sink = self._writer = None


class RollingVideo:
    """Whole videos, one after the other, without re-encoding."""

    def __init__(self, path_of: PathOf, limit_mb: float) -> None:
        self._path_of, self._limit = path_of, limit_mb * 1e6
        self._joiner: VideoJoiner | None = None
        self._place: Place = (0, 0)

    def append(self, source: Path, n_frames: int, fps: float) -> tuple[Place, tuple[float, float]]:
        """Where the video went, and its start and end there in seconds."""
        size = source.stat().st_size
        if self._joiner is not None and (self._joiner.n_bytes + size > self._limit or not self._joiner.fits(source)):
            self.close()
            self._place = next_place(*self._place)
        if self._joiner is None:
            path = self._path_of(*self._place)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._joiner = VideoJoiner(path)
        return self._place, self._joiner.append(source, n_frames, fps)

    def close(self) -> None:
        """Complete the file at hand."""
        if self._joiner is not None:
            self._joiner.close()
            self._joiner = None
