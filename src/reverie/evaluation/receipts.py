"""Under which conditions results were computed: versions, hashes, device, threads, block size.

Same receipt, same result. Nothing here is a time or a host name, so an interrupted run and its continuation agree.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from reverie.core import ActionSpec, Documented, Judge, ObservationSpec
from reverie.core.source import commit
from reverie.evaluation.blocks import Block
from reverie.evaluation.plan import Entry, Plan
from reverie.trials import Receipt

PACKAGES = ("reverie", "numpy", "scipy", "torch", "mujoco", "transformers")

Specs = Mapping[str, tuple[ObservationSpec, ActionSpec]]
"""Of whoever took part: "world" and, unless its actions were replayed, "policy"."""


def receipt_of(plan: Plan, block: Block, specs: Specs) -> Receipt:
    """One per policy and world: enough to say what else must be equal for equal results."""
    return Receipt(
        {
            "policy": described(block.policy),
            "world": described(block.world),
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


def judge_receipts(judges: Sequence[Judge]) -> list[Receipt]:
    """What judges say of themselves beyond a version: the prompt of a model, the question that people were asked."""
    told = [(j, j.about) for j in judges if isinstance(j, Documented)]
    return [Receipt({"judge": {"name": j.name, "version": j.version, **about}}) for j, about in told]


def described(entry: Entry) -> dict[str, Any]:
    found = {"name": entry.name, "spec": entry.spec, "fingerprint": entry.fingerprint}
    return found | ({"about": json.loads(entry.about)} if entry.about else {})


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
