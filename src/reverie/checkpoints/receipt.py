"""What a result may depend on besides code and data: versions, threads, device, how fast the machine multiplies."""

import platform
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import reverie


@cache
def matmul_gflops() -> float:
    """Measured float32 rate of a [1024, 1024] product with the threads in use: costs are compared by it."""
    a = torch.randn(1024, 1024)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - start)
    return round(2 * 1024**3 / best / 1e9, 1)


@cache
def commit() -> str | None:
    """The git commit of the source tree, "+" if it has changes; None outside a repository."""
    folder = Path(reverie.__file__).resolve().parent
    try:
        ask = ["git", "-C", str(folder), "describe", "--always", "--dirty=+", "--abbrev=12"]
        found = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def machine_receipt(device: torch.device | str = "cpu") -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "commit": commit(),
        "device": torch.device(device).type,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "matmul_gflops": matmul_gflops(),
    }
