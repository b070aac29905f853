"""Rows of parquet data files by position: one row group per episode is read alone, other layouts are sliced."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reverie.core import ReverieError
from reverie.data.metadata import unreadable

OPEN_FILES = 8


class RowReader:
    """Keeps the footers of a few files; may be pickled to another process."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[Any, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_open": {}}

    def rows(self, path: Path, first: int, n: int, columns: list[str]) -> pa.Table:
        """Rows first .. first + n - 1 of one file."""
        file, starts = self._file(path)
        if first + n > starts[-1]:
            raise ReverieError(
                f"{path}: found {starts[-1]} rows, expected at least {first + n} as the episode metadata say; "
                "the file belongs to another data set or version: copy the whole data set again"
            )
        groups = [g for g in range(len(starts) - 1) if starts[g] < first + n and starts[g + 1] > first]
        try:
            table = file.read_row_groups(groups, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ReverieError(unreadable(path, error)) from error
        return table.slice(first - int(starts[groups[0]]), n)

    def _file(self, path: Path) -> tuple[Any, Any]:
        if path not in self._open:
            if not path.is_file():
                raise ReverieError(
                    f"{path}: found no such file, expected the rows of an episode; copy the data set again"
                )
            try:
                file = pq.ParquetFile(path, page_checksum_verification=True)
            except (pa.ArrowException, OSError) as error:
                raise ReverieError(unreadable(path, error)) from error
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
            while len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open)))[0].close()
            self._open[path] = (file, np.cumsum([0, *sizes]))
        return self._open[path]
