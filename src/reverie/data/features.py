"""Features: what a column of a LeRobotDataset holds, its Arrow type, and numbers to and from Arrow.

A shape of (1,) is a scalar column, one axis a list of fixed size, two to five axes nested lists, dtype "image" a
struct {bytes, path}, dtype "video" no column at all. It knows nothing of episodes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reverie.core import ReverieError

MAX_AXES = 5
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@dataclass(frozen=True)
class Feature:
    """dtype as LeRobot names it (a NumPy name, "string", "image" or "video"), shape of one row, names of its numbers."""

    dtype: str
    shape: tuple[int, ...] = (1,)
    names: Any = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_picture(self) -> bool:
        """Stored as pictures or as video."""
        return self.dtype in ("image", "video")

    @property
    def is_depth(self) -> bool:
        """A picture of distances, by LeRobot's key or its older one."""
        return bool(self.info.get("is_depth_map", self.info.get("video.is_depth_map", False)))

    @property
    def is_numeric(self) -> bool:
        """A column of numbers or booleans."""
        return not self.is_picture and self.dtype != "string"

    def to_dict(self) -> dict[str, Any]:
        """As info.json has it."""
        value: dict[str, Any] = {"dtype": self.dtype, "shape": list(self.shape), "names": self.names}
        return value | ({"info": dict(self.info)} if self.info else {})

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Feature":
        """An entry of info.json, of ours or of older versions."""
        info = value.get("info") or value.get("video_info") or {}
        return cls(value["dtype"], tuple(value.get("shape") or (1,)), value.get("names"), info)


def feature_of(values: NDArray[Any], names: Any = None) -> Feature:
    """The feature of an array [n, ...]; an array without inner axes becomes shape (1,)."""
    if values.ndim - 1 > MAX_AXES:
        raise ReverieError(
            f"an array of shape {values.shape} has more than {MAX_AXES} axes a row: flatten some of them"
        )
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise ReverieError(f"an array of dtype {values.dtype} cannot be stored: give booleans, integers or floats")
    return Feature(values.dtype.name, values.shape[1:] or (1,), names)


def scalar_type(dtype: str) -> pa.DataType:
    """LeRobot's dtype -> Arrow's type of one number."""
    return pa.string() if dtype == "string" else pa.from_numpy_dtype(np.dtype(dtype))


def arrow_type(feature: Feature) -> pa.DataType:
    """The type of a feature's column, see the module's docstring."""
    if feature.dtype == "image":
        return IMAGE_TYPE
    inner = scalar_type(feature.dtype)
    if feature.shape == (1,):
        return inner
    if len(feature.shape) == 1:
        return pa.list_(inner, feature.shape[0])
    for _ in feature.shape:
        inner = pa.list_(inner)
    return inner


def to_arrow(values: NDArray[Any], feature: Feature) -> pa.Array:
    """Numbers [n, ...] -> a column of n rows."""
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    if feature.shape == (1,):
        return column
    if len(feature.shape) == 1:
        return pa.FixedSizeListArray.from_arrays(column, feature.shape[0])
    for size in reversed(feature.shape):
        column = pa.ListArray.from_arrays(np.arange(0, len(column) + 1, size, dtype=np.int32), column)
    return column


def to_numpy(column: pa.ChunkedArray, feature: Feature, where: str) -> NDArray[Any]:
    """A column of n rows -> numbers [n] for shape (1,), else [n, *shape]. `where` names the column in errors."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    n_rows, n_null = len(array), array.null_count
    array = array.storage if isinstance(array, pa.ExtensionArray) else array
    while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type) or pa.types.is_large_list(array.type):
        array = array.flatten()
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    shape = () if feature.shape == (1,) else feature.shape
    if values.size != n_rows * int(np.prod(shape)):
        raise ReverieError(
            f"{where}: found {values.size} numbers in {n_rows} rows ({n_null} empty), expected shape {list(shape)} a row "
            "as info.json says; write the data set again or correct the feature's shape"
        )
    return values.reshape(n_rows, *shape)


def schema_of(features: Mapping[str, Feature]) -> pa.Schema:
    """The Arrow schema of the data files, with the metadata by which HF `datasets` knows its own types."""
    columns = {k: f for k, f in features.items() if f.dtype != "video"}
    known = json.dumps({"info": {"features": {k: _hf_feature(f) for k, f in columns.items()}}})
    return pa.schema([(k, arrow_type(f)) for k, f in columns.items()], metadata={"huggingface": known})


def _hf_feature(feature: Feature) -> dict[str, Any]:
    value = {"dtype": feature.dtype, "_type": "Value"}
    if feature.dtype == "image":
        return {"_type": "Image"}
    if feature.shape == (1,):
        return value
    if len(feature.shape) == 1:
        return {"feature": value, "length": feature.shape[0], "_type": "Sequence"}
    return {"shape": list(feature.shape), "dtype": feature.dtype, "_type": f"Array{len(feature.shape)}D"}
