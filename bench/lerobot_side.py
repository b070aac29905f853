"""Runs in LeRobot's own environment, never in ours: opens data sets with LeRobotDataset and reads them through torch's
DataLoader, as its training script does. Requests come as lines of JSON on standard input, answers go the same way back.

One process must not both decode video itself and start workers: they would share the file positions of its decoders.
"""

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.utils.import_utils import get_safe_default_video_backend

from pace import paced

PACKAGES = ("lerobot", "datasets", "torch", "torchcodec", "av", "pillow")
opened: dict[str, LeRobotDataset] = {}


def describe() -> dict[str, Any]:
    found = {name: version(name) for name in PACKAGES}
    return found | {"python": sys.version.split()[0], "video_backend": get_safe_default_video_backend()}


def open_dataset(root: str, horizon: int) -> dict[str, float]:
    """With chunks of `horizon` actions, and bytes for frames of video, as LeRobot trains."""
    start = time.perf_counter()
    fps = json.loads((Path(root) / "meta/info.json").read_text())["fps"]
    chunks = {"action": [i / fps for i in range(horizon)]}
    opened[root] = LeRobotDataset("local/loading", root=root, delta_timestamps=chunks, return_uint8=True)
    return {"seconds": time.perf_counter() - start}


def pace(root: str, rows: list[int], batch_size: int, workers: int, seconds: float) -> dict[str, float]:
    """Of batches of `rows` in this order, once as many are under way as workers prefetch. `processor` is this process's own:
    it says nothing about workers."""
    loader = torch.utils.data.DataLoader(opened[root], batch_size, sampler=rows, num_workers=workers)
    return paced(loader, batch_size, 1 + 2 * workers, seconds)


def save(root: str, rows: list[int], to: str) -> dict[str, int]:
    """What it reads, for comparison: one array per feature."""
    batch = next(iter(torch.utils.data.DataLoader(opened[root], len(rows), sampler=rows)))
    kept = {k: v.numpy() for k, v in batch.items() if k.startswith("observation.images.")}
    np.savez(to, **kept, action=batch["action"].numpy(), state=batch["observation.state"].numpy())
    return {"arrays": len(kept) + 2}


def main() -> None:
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not look like an answer
    asked = {"describe": describe, "open": open_dataset, "pace": pace, "save": save}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(asked[request.pop("do")](**request)), file=answers)


if __name__ == "__main__":
    main()
