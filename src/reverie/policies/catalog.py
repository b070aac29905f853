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
from reverie.policies import paper
from reverie.policies.act import ACT, ACTConfig
from reverie.policies.bc import BC, BCConfig
from reverie.policies.classical import ClassicalPolicy
from reverie.policies.diffusion_policy import DiffusionPolicy, DiffusionPolicyConfig
from reverie.policies.flow_vla import FlowVLA, FlowVLAConfig
from reverie.policies.learned import LearnedPolicy, PolicyShapes
from reverie.policies.octo import Octo, OctoConfig
from reverie.policies.paper import Paper
from reverie.policies.rt1 import RT1, RT1Config
from reverie.policies.simple_vla import SimpleVLA, SimpleVLAConfig
from reverie.policies.vla import VLA, VLAConfig
from reverie.transforms import Pipeline


@dataclass(frozen=True)
class Family:
    """A network and the configuration beside it. `tiny` trains on two cores, `paper` has the published size."""

    config: type[Any]
    build: Callable[[Any, PolicyShapes], nn.Module]
    tiny: Any
    paper: Paper


LEARNED: dict[str, Family] = {
    "simple_vla": Family(SimpleVLAConfig, SimpleVLA, SimpleVLAConfig(), paper.SIMPLE_VLA),
    "bc": Family(BCConfig, BC, BCConfig(), paper.BC),
    "rt1": Family(RT1Config, RT1, RT1Config(), paper.RT1),
    "act": Family(ACTConfig, ACT, ACTConfig(), paper.ACT),
    "diffusion_policy": Family(DiffusionPolicyConfig, DiffusionPolicy, DiffusionPolicyConfig(), paper.DIFFUSION_POLICY),
    "octo": Family(OctoConfig, Octo, OctoConfig(), paper.OCTO),
    "flow_vla": Family(FlowVLAConfig, FlowVLA, FlowVLAConfig(), paper.FLOW_VLA),
    "vla": Family(VLAConfig, VLA, VLAConfig(), paper.VLA),
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
