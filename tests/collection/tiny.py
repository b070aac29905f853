"""Random weights that act on, and dream of, the tabletop."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from reverie.checkpoints import save
from reverie.embodiments import panda
from reverie.nn.grounding import GroundingConfig, GroundingShapes
from reverie.nn.text_config import TextConfig
from reverie.policies import LearnedPolicy, PolicyShapes
from reverie.policies.encoders import EncoderConfig
from reverie.policies.learned import policy_checkpoint
from reverie.policies.vla import VLA, VLAConfig
from reverie.transforms import ImagesToFloat, LowerText, NormalizeActions, NormalizeState, Pipeline
from reverie.world_model.checkpoint import world_checkpoint
from reverie.world_model.model import TileModel, TileModelConfig
from reverie.world_model.network import UNetConfig

GROUNDING = GroundingConfig(TextConfig("words"), text_width=32, text_depth=1, width=16, deep_width=16, hidden=32)
CONFIG = VLAConfig(dim=32, depth=1, n_heads=2, encoder=EncoderConfig(grounding=GROUNDING))


def save_policy(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    spec = replace(panda.OBSERVATION_SPEC, measured=(), n_obs_steps=CONFIG.n_obs_steps, obs_stride=CONFIG.obs_stride)
    views = GroundingShapes(len(spec.cameras), 64, 64, len(spec.commanded))
    shapes = PolicyShapes(spec.camera_names, 7, (6,), views)
    state, action = (0.0,) * len(spec.commanded), (0.0,) * 7
    transforms = (
        LowerText(),
        ImagesToFloat(),
        NormalizeState(state, (1.0,) * len(state)),
        NormalizeActions(action, (0.02,) * 7),
    )
    policy = LearnedPolicy(
        "tiny",
        VLA(CONFIG, shapes),
        spec,
        panda.ACTION_SPEC,
        Pipeline(transforms),
        CONFIG.n_action_steps,
        asdict(CONFIG),
        "vla",
    )
    save(folder, policy_checkpoint(policy, shapes, {}))
    return folder


def save_world(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    model = TileModel(TileModelConfig(unet=UNetConfig(channels=(8, 16, 16, 16), condition_dim=16, n_heads=2)))
    save(
        folder,
        world_checkpoint(model, model.state_dict(), "panda", (panda.OBSERVATION_SPEC, panda.ACTION_SPEC), {}),
    )
    return folder
