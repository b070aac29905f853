"""What a checkpoint was made from: the receipts of its parents go into its own."""

from pathlib import Path
from typing import Any

from reverie.checkpoints import load, weights_hash


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
