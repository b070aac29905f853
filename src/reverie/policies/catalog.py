"""The table of policies, and the one door to a trained one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from reverie.checkpoints import Checkpoint, load
from reverie.checkpoints import load_weights as load_weights
from reverie.checkpoints.configuration import from_values
from reverie.core import ActionSpec, ObservationSpec, Policy, ReverieError, unknown_name
from reverie.nn.grounding import GroundingConfig
from reverie.nn.text import TextConfig
from reverie.policies.classical import ClassicalPolicy
from reverie.policies.learned import LearnedPolicy, PolicyShapes
from reverie.policies.vla import VLA, VLAConfig
from reverie.transforms import Pipeline


@dataclass(frozen=True)
class Family:
    """A network and the configuration beside it. `tiny` trains on two cores, `paper` has the published size."""

    config: type[Any]
    build: Callable[[Any, PolicyShapes], nn.Module]
    tiny: Any
    paper: Any


LEARNED: dict[str, Family] = {
    "vla": Family(
        VLAConfig,
        VLA,
        tiny=VLAConfig(),
        paper=VLAConfig(
            horizon=50,
            n_action_steps=25,
            dim=1024,
            depth=18,
            n_heads=16,
            view_cells=16,
            grounding=GroundingConfig(
                TextConfig("minilm", max_tokens=64), text_width=512, text_depth=6, patch=8, width=256, deep_width=512
            ),
        ),
    ),
}
BUILT_IN: Mapping[str, Callable[[], Policy]] = {"classical": ClassicalPolicy}
"""Policies without weights, opened by their name alone."""


def load_policy(path: Path | str, name: str | None = None) -> Policy:
    """A checkpoint folder, or the name of a built-in policy, as a Policy. `name` replaces the checkpoint's own."""
    if str(path) in BUILT_IN:
        return BUILT_IN[str(path)]()
    if not Path(path).exists():
        known = f"; built in: {', '.join(sorted(BUILT_IN))}" if BUILT_IN else ""
        raise ReverieError(f"no policy at {path}: give the folder of a checkpoint{known}")
    checkpoint = load(path).expect("policy", path)
    return policy_from(checkpoint, path, name)


def policy_from(checkpoint: Checkpoint, where: Path | str, name: str | None = None) -> LearnedPolicy:
    """`where` is for messages. Errors: ReverieError for an unknown family and entries or weights that do not fit."""
    if checkpoint.family not in LEARNED:
        raise unknown_name(f"policy family in {where}", checkpoint.family, list(LEARNED))
    family = LEARNED[checkpoint.family]
    config = from_values(family.config, checkpoint.config, where)
    model = family.build(config, from_values(PolicyShapes, checkpoint.shapes, where))
    load_weights(model, checkpoint, where)
    return LearnedPolicy(
        name=name or checkpoint.name,
        model=model,
        observation_spec=ObservationSpec.from_dict(dict(checkpoint.observation_spec)),
        action_spec=ActionSpec.from_dict(dict(checkpoint.action_spec)),
        transforms=Pipeline.from_list(checkpoint.transforms, where),
        n_action_steps=config.n_action_steps,
        config=checkpoint.config,
        family=checkpoint.family,
    )
