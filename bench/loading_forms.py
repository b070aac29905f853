"""One collection in the forms that `loading.py` reads: pictures as PNG, as H.264 video, and without compression.

Poses of objects and camera matrices are left out of them: LeRobot would read them with every row, wanted or not.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from reverie.collection import CollectConfig, collect
from reverie.core import Episode
from reverie.data.layout import IMAGES, is_dataset
from reverie.data.lerobot_reader import Dataset, open_dataset
from reverie.data.lerobot_writer import write_dataset
from reverie.data.whole import whole_folder


def prepared(folder: Path, episodes: int, processes: int) -> dict[str, Path]:
    """form -> data set in `folder`; what is there already stays. `collected` is the collection itself."""
    forms = {name: folder / name for name in ("collected", "png", "video", "uncompressed")}
    collect(CollectConfig(episodes=episodes, depth=False), forms["collected"], processes)
    collected = open_dataset(forms["collected"])
    if not is_dataset(forms["png"]):
        write_dataset(forms["png"], lean(collected), images="png")
    if not is_dataset(forms["video"]):
        write_dataset(forms["video"], lean(collected), images="video")
    if not is_dataset(forms["uncompressed"]):
        uncompress(forms["png"], forms["uncompressed"])
    return forms


def lean(dataset: Dataset) -> Iterator[Episode]:
    """Pictures, state and actions only."""
    for episode in dataset:
        seen = replace(episode.observations, extras={})
        yield replace(episode, observations=seen, observation_spec=replace(episode.observation_spec, extras=()))


def uncompress(png: Path, out: Path) -> None:
    """The same data set with every picture as a BMP file, which is its pixels behind a short header."""
    with whole_folder(out) as temporary:
        for path in sorted(p for p in png.rglob("*") if p.is_file()):
            to = temporary / path.relative_to(png)
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.parts[len(png.parts)] == "data":
                _rewrite(path, to)
            else:
                to.write_bytes(path.read_bytes())


def _rewrite(source: Path, to: Path) -> None:
    file = pq.ParquetFile(source)
    with pq.ParquetWriter(to, file.schema_arrow, use_dictionary=True) as writer:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            for number, name in enumerate(table.column_names):
                if name.startswith(IMAGES):
                    cells = _as_bmp(table[name].combine_chunks(), table.schema.field(name).type)
                    table = table.set_column(number, table.schema.field(name), cells)
            writer.write_table(table, row_group_size=len(table))


def _as_bmp(cells: pa.StructArray, kind: pa.StructType) -> pa.StructArray:
    found = []
    for data in cells.field("bytes").to_pylist():
        buffer = io.BytesIO()
        Image.open(io.BytesIO(data)).save(buffer, "BMP")
        found.append(buffer.getvalue())
    return pa.StructArray.from_arrays(
        [pa.array(found, pa.binary()), pa.nulls(len(found), pa.string())], fields=list(kind)
    )
