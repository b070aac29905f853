"""What a checkpoint was made from: the receipts of its parents go into its own, and the names of what it was shown."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reverie.checkpoints import load, weights_hash
from reverie.data.cache import FrameCache


def parents(**checkpoints: Path | None) -> dict[str, Any]:
    """role=folder ... -> the entry `parents`: name, hash of the weights and receipt of each that is given, without what was
    measured of them; nothing where there is none."""
    found = {}
    for role, folder in checkpoints.items():
        if folder is not None:
            parent = load(folder)
            receipt = {k: v for k, v in parent.receipt.items() if k != "measured"}
            found[role] = {"name": parent.name, "weights": weights_hash(parent.weights), "receipt": receipt}
    return {"parents": found} if found else {}


def lineage(receipt: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A receipt, those of its parents, and theirs."""
    yield receipt
    for parent in receipt.get("parents", {}).values():
        yield from lineage(parent["receipt"])


def shown(caches: Iterable[FrameCache]) -> dict[str, Any]:
    """The entry `shown`: names of the kinds, colours and tables in the data's scenes, and axes along which any was edited. So
    that "unseen" can be checked years later, without the data."""
    scenes = [e.scene for cache in caches for e in cache.episodes if e.scene is not None]
    found: dict[str, set[str]] = {
        "kinds": {o.kind for s in scenes for o in s.objects} | {d.kind for s in scenes for d in s.distractors},
        "colors": {o.color for s in scenes for o in s.objects},
        "tables": {str(s.look["table"]) for s in scenes if "table" in s.look},
        "edits": {e.axis for s in scenes for e in s.edits},
    }
    return {"shown": {name: sorted(names) for name, names in found.items()}}
