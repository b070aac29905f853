"""Every network at its published size: built and run once on the meta device, its parameters beside the published number.

Differences above 2 % are explained beside the number.
"""

from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from reverie.nn.bert import MINILM_L6, Bert, BertConfig
from reverie.nn.decoder import (
    GEMMA_2B,
    GEMMA_2B_EXPERT,
    GEMMA_300M_EXPERT,
    LLAMA_7B,
    LLAMA_7B_EXPERT,
    Decoder,
    Expert,
)
from reverie.nn.diffusion import sample_ddim, sample_ddpm, squared_cosine
from reverie.nn.efficientnet import FilmedEfficientNet, Variant, efficientnet, efficientnet_config
from reverie.nn.flow import noised, sample_euler, training_times
from reverie.nn.hub import ARCHITECTURES, load_model
from reverie.nn.language_model import Vocabulary
from reverie.nn.masks import blockwise, positions
from reverie.nn.resnet import ResNet, ResNetConfig
from reverie.nn.spatial_softmax import SpatialSoftmax
from reverie.nn.time_embedding import sincos
from reverie.nn.token_learner import TokenLearner
from reverie.nn.unet1d import UNet1d, UNet1dConfig
from reverie.nn.vit import DINOV2_B14, DINOV2_L14_REGISTERS, SIGLIP_SO400M_14, VIT_B16, ViT, ViTConfig

MILLION = 1e6


def _count(*modules: nn.Module) -> int:
    return sum(p.numel() for m in modules for p in m.parameters())


@pytest.mark.parametrize(("depth", "published"), [(18, 11_689_512), (34, 21_797_672)])
def test_resnet(depth: int, published: int) -> None:
    """Exactly torchvision's counts without the classifier, 512 x 1000 + 1000."""
    with torch.device("meta"):
        resnet = ResNet(ResNetConfig(depth))  # type: ignore[arg-type]
        features = resnet(torch.zeros(2, 3, 224, 224))
    assert _count(resnet) == published - 513_000
    assert SpatialSoftmax(512, 32).to("meta")(features).shape == (2, 32, 2)


@pytest.mark.parametrize(
    ("config", "published", "tokens"),
    [
        (VIT_B16, 86 * MILLION, 197),  # Dosovitskiy et al. 2021, table 1
        (DINOV2_B14, 86 * MILLION, 1370),  # Oquab et al. 2023, table 17
        (DINOV2_L14_REGISTERS, 300 * MILLION, 1374),  # the same table
        (SIGLIP_SO400M_14, 412.4 * MILLION, 256),  # "400M" in its name; 427.7M with the pooling head that is not here
    ],
)
def test_vit(config: ViTConfig, published: float, tokens: int) -> None:
    with torch.device("meta"):
        vit = ViT(config)
        assert vit(torch.zeros(1, 3, *config.image_size)).all.shape == (1, tokens, config.dim)
        assert vit(torch.zeros(1, 3, 224, 224)).patches.shape[1] == (224 // config.patch) ** 2
    assert _count(vit) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (VIT_B16, "google/vit-base-patch16-224"),
        (SIGLIP_SO400M_14, "google/siglip-so400m-patch14-224"),
        (DINOV2_B14, "facebook/dinov2-base"),
        (DINOV2_L14_REGISTERS, "facebook/dinov2-with-registers-large"),
    ],
)
def test_the_named_models_have_our_sizes(config: ViTConfig, name: str) -> None:
    with torch.device("meta"):
        theirs, ours = load_model(name), ViT(config)
    unread = ("pooler.", "head.", "embeddings.mask_token")
    assert _count(ours) == sum(p.numel() for n, p in theirs.named_parameters() if not n.startswith(unread))


@pytest.mark.parametrize(("config", "published"), [(BertConfig(), 110 * MILLION), (MINILM_L6, 22.7 * MILLION)])
def test_bert(config: BertConfig, published: float) -> None:
    """Devlin et al. 2019, section 3; the model card of all-MiniLM-L6-v2. Both with the pooler, 0.5 %, that is not here."""
    with torch.device("meta"):
        bert = Bert(config)
        assert bert(torch.zeros(2, 16).long(), torch.ones(2, 16).bool()).shape == (2, 16, config.dim)
    assert _count(bert) == pytest.approx(published, rel=0.02)


def test_gemma_2b() -> None:
    """Gemma Team 2024, table 2: 1,981,884,416 without and 524,550,144 in the embedding."""
    with torch.device("meta"):
        gemma, words = Decoder([GEMMA_2B_EXPERT], GEMMA_2B), Vocabulary(256_128, 2048)
        (hidden,), _ = gemma([words(torch.zeros(1, 48).long())], torch.arange(48)[None])
        assert isinstance(hidden, Tensor)
        assert words.logits(hidden).shape == (1, 48, 256_128)
    assert _count(gemma) == 1_981_884_416
    assert _count(words) == 524_550_144


def test_llama_7b() -> None:
    """The 6,738,415,616 of the public weights, less two tables of 32,000 x 4,096 (embedding and head)."""
    with torch.device("meta"):
        llama = Decoder([LLAMA_7B_EXPERT], LLAMA_7B)
        llama([torch.zeros(1, 8, 4096)], torch.arange(8)[None])
    assert _count(llama) == 6_738_415_616 - 2 * 32_000 * 4096


@pytest.mark.parametrize("condition", [0, 1024])
def test_pi0s_two_experts_and_a_step_on_their_prefix(condition: int) -> None:
    """3 images of 256 tokens and 48 words; 1 state and 50 actions. Action expert: 311M in the public code's comment."""
    action = Expert(GEMMA_300M_EXPERT.width, GEMMA_300M_EXPERT.hidden, condition)
    blocks = torch.tensor([0] * 816 + [1] + [2] * 50)
    with torch.device("meta"):
        decoder, actions = Decoder([GEMMA_2B_EXPERT, action], GEMMA_2B), nn.Linear(32, 1024)
        valid = torch.ones(1, 867, dtype=torch.bool)
        pairs, at = blockwise(blocks.to("meta")) & valid[:, None], positions(valid)
        x, target = noised(torch.zeros(1, 50, 32), torch.zeros(1, 50, 32), training_times(1))
        told = None if not condition else [None, sincos(training_times(1), condition, 4e-3, 4.0)]
        state = torch.zeros(1, 1, 1024)
        (_, both), _ = decoder([torch.zeros(1, 816, 2048), torch.cat([state, actions(x)], dim=1)], at, pairs, told)
        _, prefix = decoder([torch.zeros(1, 816, 2048), None], at[:, :816], pairs[:, :816, :816], told)

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            late = torch.cat([state, actions(x)], dim=1)
            (_, out), _ = decoder([None, late], at[:, 816:], pairs[:, 816:], told, prefix)
            assert out is not None
            return out[:, 1:] @ actions.weight

        assert sample_euler(velocity, (50, 32), [1], 1, "meta").shape == target.shape
    assert both is not None
    assert both.shape == (1, 51, 1024)
    if not condition:
        assert _count(*decoder.expert(1)) == pytest.approx(311 * MILLION, rel=0.02)


@pytest.mark.parametrize(("variant", "published"), [("b0", 5.3), ("b1", 7.8), ("b2", 9.2), ("b3", 12.0)])
def test_efficientnet(variant: Variant, published: float) -> None:
    """Tan & Le 2019, table 2, with a classifier of 1000 classes that is not here."""
    with torch.device("meta"):
        model: Any = efficientnet(efficientnet_config(variant))
    classifier = 1000 * (model.config.hidden_dim + 1)
    assert _count(model) + classifier == pytest.approx(published * MILLION, rel=0.02)


def test_rt1s_vision() -> None:
    """Brohan et al. 2022, section 5.1: 16M with FiLM in 26 blocks, at 300 pixels, then 8 tokens of 512."""
    with torch.device("meta"):
        tower = FilmedEfficientNet(efficientnet(efficientnet_config("b3")), 512, 512)
        tokens = tower(torch.zeros(6, 3, 300, 300), torch.zeros(6, 512)).flatten(2).transpose(1, 2)
        assert TokenLearner(512)(tokens).shape == (6, 8, 512)
    assert len(tower.films) == 26
    assert _count(tower) == pytest.approx(16 * MILLION, rel=0.02)


@pytest.mark.parametrize(("action_dim", "seen", "published"), [(10, 2 * 137, 256), (20, 2 * 274, 264)])
def test_diffusion_policys_u_net(action_dim: int, seen: int, published: float) -> None:
    """Chi et al. 2023, hyperparameters in the appendix: one arm (two cameras of 64 numbers and 9 of state, two steps), and
    two arms with four cameras."""
    with torch.device("meta"):
        net, condition = UNet1d(action_dim, seen, UNet1dConfig()), torch.zeros(2, seen)
        schedule = squared_cosine(100)
        noisy = schedule.add_noise(
            torch.zeros(2, 16, action_dim), torch.zeros(2, 16, action_dim), torch.zeros(2).long()
        )
        assert net(noisy, torch.zeros(2), condition).shape == (2, 16, action_dim)
        for found in (
            sample_ddim(lambda x, t: net(x, t, condition), (16, action_dim), [1, 2], schedule, 2, "meta"),
            sample_ddpm(lambda x, t: net(x, t, condition), (16, action_dim), [1, 2], squared_cosine(2), "meta"),
        ):
            assert found.shape == (2, 16, action_dim)
    assert _count(net) == pytest.approx(published * MILLION, rel=0.02)


def test_t5_base() -> None:
    """Octo, section III-A: a frozen t5-base encoder of 111M."""
    kind, values = ARCHITECTURES["google-t5/t5-base"]
    with torch.device("meta"):
        encoder = transformers.T5EncoderModel(transformers.T5Config(**values))
    assert kind == "t5"
    assert _count(encoder) == pytest.approx(111 * MILLION, rel=0.02)
