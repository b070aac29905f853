"""features.json of a TFDS data set: the tree of what an episode holds, and records decoded by it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reverie.core import ReverieError
from reverie.data.metadata import read_json
from reverie.data.tfrecord import Value

Kind = Literal["image", "tensor", "text"]


@dataclass(frozen=True)
class Leaf:
    """One thing that is stored. `shape` is that of one step (or of the episode, outside of `steps`)."""

    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    per_step: bool


def read_features(path: Path) -> dict[str, Leaf]:
    """Name with slashes (`steps/observation/state`) -> leaf."""
    value = read_json(path, "give the version folder of a TFDS data set, e.g. .../bridge_dataset/1.0.0")
    try:
        return dict(_leaves(value, (), per_step=False))
    except (KeyError, TypeError, ValueError) as error:
        raise ReverieError(
            f"{path}: found a description without {error}, expected TFDS features as JSON; "
            "write it again with tensorflow_datasets 4.9 or newer"
        ) from error


def _leaves(node: Mapping[str, Any], name: tuple[str, ...], per_step: bool) -> Iterator[tuple[str, Leaf]]:
    joined = "/".join(name)
    if "featuresDict" in node:
        for key, child in node["featuresDict"]["features"].items():
            yield from _leaves(child, (*name, key), per_step)
    elif "sequence" in node:
        yield from _leaves(node["sequence"]["feature"], name, per_step=True)
    elif "image" in node:
        yield joined, Leaf("image", _shape(node["image"]), node["image"].get("dtype", "uint8"), per_step)
    elif "text" in node:
        yield joined, Leaf("text", (), "string", per_step)
    elif "tensor" in node:
        yield joined, Leaf("tensor", _shape(node["tensor"]), node["tensor"]["dtype"], per_step)
    else:
        raise KeyError(f"a kind that is known for {joined!r} ({sorted(node)})")


def _shape(node: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(n) for n in node.get("shape", {}).get("dimensions", ()))


def numbers(example: Mapping[str, Value], name: str, leaf: Leaf, where: str) -> NDArray[Any]:
    """[T, *shape] of a leaf in `steps`, else [*shape]."""
    value = example.get(name)
    size = int(np.prod(leaf.shape))
    if value is None or isinstance(value, list) or value.size % size or (not leaf.per_step and value.size != size):
        found = "nothing" if value is None else f"{len(value)} values"
        raise ReverieError(
            f"{where}: found {found} for {name!r}, expected a multiple of {size} numbers as features.json says"
        )
    shape = (-1, *leaf.shape) if leaf.per_step else leaf.shape
    return value.reshape(shape).astype(leaf.dtype)


def texts(example: Mapping[str, Value], name: str, where: str) -> list[str]:
    """The strings of a text leaf, one per step. Errors: ReverieError if there is none."""
    value = example.get(name)
    if not isinstance(value, list):
        raise ReverieError(f"{where}: found {type(value).__name__} for {name!r}, expected text as features.json says")
    return [item.decode() for item in value]
