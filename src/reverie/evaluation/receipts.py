"""Under which conditions results were computed: versions, hashes, device, threads, block size.

Same receipt, same result. Nothing here is a time or a host name, so an interrupted run and its continuation agree.
"""

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata

from reverie.core import ActionSpec, ObservationSpec
from reverie.core.source import commit
from reverie.evaluation.blocks import Block
from reverie.evaluation.plan import Plan
from reverie.trials import Receipt

PACKAGES = ("reverie", "numpy", "scipy", "torch", "mujoco", "transformers")

Specs = Mapping[str, tuple[ObservationSpec, ActionSpec]]
"""Of whoever took part: "world" and, unless its actions were replayed, "policy"."""


def receipt_of(plan: Plan, block: Block, specs: Specs) -> Receipt:
    """One per policy and world: enough to say what else must be equal for equal results."""
    return Receipt(
        {
            "policy": {"name": block.policy.name, "spec": block.policy.spec, "fingerprint": block.policy.fingerprint},
            "world": {"name": block.world.name, "spec": block.world.spec, "fingerprint": block.world.fingerprint},
            "arm": block.keys[0].world,
            "specs": {who: {"observation": o.to_dict(), "action": a.to_dict()} for who, (o, a) in specs.items()},
            "block_size": block.size,
            "n_steps": block.n_steps,
            "threads": plan.threads,
            "device": device(),
            "machine": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "commit": commit(),
            "packages": {name: v for name in PACKAGES if (v := version_of(name))},
        }
    )


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def device() -> str:
    """The accelerator that torch sees, or "cpu"; torch is not loaded for this."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "cpu"


def limit_threads(threads: int) -> None:
    """Threads are part of the result: floating point depends on them."""
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
