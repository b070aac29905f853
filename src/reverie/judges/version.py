"""The version of a judge: what its verdicts depend on."""

from dataclasses import asdict
from typing import Any

from torch import nn

from reverie.checkpoints import weights_hash
from reverie.core import content_hash
from reverie.core.source import source_hash
from reverie.judges.holding import HoldRule


def version_of(network: nn.Module, config: Any, rule: HoldRule) -> str:
    """12 hexadecimal digits that change with the weights, the configuration (a dataclass), the rule and the code."""
    code = source_hash("reverie.judges", "reverie.nn", "reverie.transforms")
    made = {"weights": weights_hash(network.state_dict()), "config": asdict(config), "rule": asdict(rule)}
    return content_hash({**made, "source": code})[:12]
