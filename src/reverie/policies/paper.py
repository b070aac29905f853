"""The published sizes: complete configurations, what they were built for, and how many parameters were published.

Built and run forward once on the meta device by a test, which also holds the counts against `published`.
"""

from dataclasses import dataclass, field
from typing import Any

from reverie.nn.decoder import GEMMA_2B, GEMMA_2B_EXPERT, GEMMA_300M_EXPERT
from reverie.nn.grounding import GroundingShapes
from reverie.nn.hub_vision import HubVisionConfig
from reverie.nn.resnet import ResNetConfig
from reverie.nn.text_config import TextConfig
from reverie.nn.unet1d import UNet1dConfig
from reverie.nn.vit import ViTConfig
from reverie.policies.act import ACTConfig
from reverie.policies.bc import BCConfig
from reverie.policies.chunks import DiffusionConfig
from reverie.policies.diffusion_policy import DiffusionPolicyConfig
from reverie.policies.encoders import EncoderConfig
from reverie.policies.flow_vla import FlowVLAConfig
from reverie.policies.learned import PolicyShapes
from reverie.policies.octo import OctoConfig
from reverie.policies.rt1 import RT1Config
from reverie.policies.simple_vla import SimpleVLAConfig
from reverie.policies.towers import TowerConfig
from reverie.policies.vla import VLAConfig


@dataclass(frozen=True)
class Paper:
    """published: millions of parameters, None where nobody said; source: who said so; difference: where ours come from, if
    they are others by more than 2 %. What is frozen and not in a checkpoint (text encoders) is not counted."""

    config: Any
    cameras: int
    size: tuple[int, int]
    state_dim: int
    action_dim: int
    published: float | None
    source: str
    difference: str = ""
    shapes: PolicyShapes = field(init=False)

    def __post_init__(self) -> None:
        cameras = tuple(f"camera_{i}" for i in range(self.cameras))
        grounding = GroundingShapes(self.cameras, *self.size, self.state_dim)
        object.__setattr__(self, "shapes", PolicyShapes(cameras, self.action_dim, (self.action_dim - 1,), grounding))


SIMPLE_VLA = Paper(
    SimpleVLAConfig(
        vision=512,
        language=768,
        pool="mean",
        use_state=False,
        encoder=EncoderConfig("resnet", text=TextConfig("hub:google-bert/bert-base-uncased", trained=True)),
    ),
    cameras=1, size=(224, 224), state_dim=0, action_dim=7,
    published=121.45, source="the sum of ResNet-18 without classifier (11.18), BERT-base (109.48) and the three layers (0.79)",
)  # fmt: skip
BC = Paper(
    BCConfig(widths=(1024, 1024), dim=64, encoder=EncoderConfig("resnet", text=TextConfig("minilm"))),
    cameras=2, size=(84, 84), state_dim=9, action_dim=7,
    published=None, source="robomimic's BC (Mandlekar et al. 2021) publishes layers, no count",
)  # fmt: skip
RT1 = Paper(
    RT1Config(
        image_dim=512,
        dim=512,
        depth=8,
        n_heads=8,
        head_dim=128,
        state_token=False,
        encoder=EncoderConfig("efficientnet", tower=TowerConfig(efficientnet="b3", dim=512)),
    ),
    cameras=1, size=(300, 300), state_dim=0, action_dim=11,
    published=35.0, source="Brohan et al. 2022, section 5.1: 16 million vision, 19 million transformer",
)  # fmt: skip
ACT = Paper(
    ACTConfig(
        horizon=100,
        dim=512,
        n_heads=8,
        feedforward=3200,
        encoder_layers=4,
        decoder_layers=7,
        style_layers=4,
        squared_below=0.0,
        language=False,
        encoder=EncoderConfig("resnet", tower=TowerConfig(ResNetConfig(norm="frozen_batch"))),
    ),
    cameras=4, size=(480, 640), state_dim=14, action_dim=14,
    published=84.0, source="counted in the public code (LeRobot, pull request 192); the paper, section IV-C, says around 80",
)  # fmt: skip
DIFFUSION_POLICY = Paper(
    DiffusionPolicyConfig(
        horizon=16,
        n_action_steps=8,
        unet=UNet1dConfig(),
        diffusion=DiffusionConfig(100, "ddpm"),
        dim=512,
        language=False,
        pool="points",
        encoder=EncoderConfig("resnet", tower=TowerConfig(ResNetConfig(norm="group"))),
    ),
    cameras=1, size=(96, 96), state_dim=2, action_dim=2,
    published=262.7, source="LeRobot's diffusion_pusht, learnable parameters (unconfirmed)",
)  # fmt: skip
OCTO = Paper(
    OctoConfig(
        horizon=4,
        dim=768,
        depth=12,
        n_heads=12,
        state_token=False,
        diffusion=DiffusionConfig(20, "ddpm", clip=5.0),
        encoder=EncoderConfig("stem", text=TextConfig("hub:google-t5/t5-base", max_tokens=16), tower=TowerConfig(dim=512)),
    ),
    cameras=2, size=(256, 256), state_dim=0, action_dim=7,
    published=93.0, source="Octo Model Team 2024, table of sizes: Octo-Base, without the frozen T5",
    difference="one stem for both cameras instead of one each (1.1), positions for 2 observed times instead of 10 (2.5)",
)  # fmt: skip
FLOW_VLA = Paper(
    FlowVLAConfig(
        horizon=50,
        n_action_steps=25,
        decoder=GEMMA_2B,
        prefix=GEMMA_2B_EXPERT,
        action=GEMMA_300M_EXPERT,
        padded=32,
        draws=1,
        encoder=EncoderConfig(
            "hub",
            text=TextConfig("words", max_tokens=48, n_buckets=257_152, words_dim=2048),
            tower=TowerConfig(hub=HubVisionConfig("google/siglip-so400m-patch14-224", trained=True)),
        ),
    ),
    cameras=3, size=(224, 224), state_dim=32, action_dim=32,
    published=3300.0, source="Black et al. 2024, section V: 3.3 billion",
)  # fmt: skip
VLA = Paper(
    VLAConfig(
        horizon=50,
        n_action_steps=25,
        dim=1024,
        depth=18,
        n_heads=16,
        hidden=4096,
        encoder=EncoderConfig("vit", tower=TowerConfig(vit=ViTConfig())),
    ),
    cameras=4, size=(224, 224), state_dim=14, action_dim=14,
    published=None, source="a configuration of our own: 50 actions at 50 Hz",
)  # fmt: skip
