"""What a result may depend on besides code and data: versions, threads, device, how fast the machine multiplies."""

import platform
import time
from functools import cache
from typing import Any

import numpy as np
import torch

from reverie.core.source import commit

__all__ = ["commit", "machine_receipt", "matmul_gflops"]


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


def machine_receipt(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Versions, the commit, `device`, threads and measured speed (about 0.1 s), ready for JSON."""
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
